"""Pose error against known cameras, and what the hypotheses of a pose are worth."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genren.errors import InputError
from genren.geometry.rotations import about

# Categories that look alike from several sides: the number of turns about the up axis that change nothing, or inf for
# any turn. Their poses are right up to those turns. Everything else in the thirteen categories has a front.
SYMMETRY: dict[str, float] = {"table": 2, "lamp": math.inf}

NEAR_DEGREES = 30.0  # Tulsiani and Malik's accuracy at pi / 6

BINS = 10  # of confidence, in the calibration error


def pose_error(predicted: Tensor, true: Tensor, symmetry: float = 1) -> Tensor:
    """Geodesic angle (...) in degrees between rotations (..., 3, 3), 0 to 180, the least over the symmetry's turns.

    `symmetry` is how many turns about the object's up axis look alike; infinitely many leave the tilt alone.
    """
    if predicted.shape != true.shape or predicted.shape[-2:] != (3, 3):
        raise InputError(f"rotations must be two (..., 3, 3), got {tuple(predicted.shape)} and {tuple(true.shape)}")
    predicted, true = predicted.double(), true.double()
    if math.isinf(symmetry):
        # Any turn about y leaves the second column: the angle between the images of the up axis.
        cosine = (predicted[..., 1] * true[..., 1]).sum(-1)
        return torch.rad2deg(torch.arccos(cosine.clamp(-1, 1)))
    turns = 2 * math.pi * torch.arange(int(symmetry), dtype=torch.float64) / symmetry
    errors = [_angle(predicted @ about("y", turn), true) for turn in turns]
    return torch.rad2deg(torch.stack(errors).amin(0))


def _angle(one: Tensor, other: Tensor) -> Tensor:
    """Angle between rotations, unclamped: from the chord |A - B|_F = 2 sqrt 2 sin(angle / 2), exact near 0."""
    chord = (one - other).square().sum((-2, -1)).sqrt()
    return 2 * torch.arcsin((chord / (2 * math.sqrt(2))).clamp_max(1))


@dataclass(frozen=True)
class Hypotheses:
    """How a model uses the poses that it proposes for an image."""

    used: float  # effective number of hypotheses that win, exp of the entropy of their shares, in [1, H]
    accuracy: float  # share of images whose most probable hypothesis is the nearest to the truth; chance is 1 / H
    calibration_error: float  # expected |confidence - accuracy| over ten bins (Guo et al. 2017), in [0, 1]


def hypotheses(errors: Tensor, probabilities: Tensor) -> Hypotheses:
    """Usage and calibration from pose errors (N, H) and the probabilities (N, H) that the model gave."""
    if errors.shape != probabilities.shape or errors.dim() != 2 or not len(errors):
        raise InputError(
            f"errors and probabilities must both be (N, H), got {tuple(errors.shape)} and {tuple(probabilities.shape)}"
        )
    confidence, chosen = probabilities.double().max(1)
    shares = torch.bincount(chosen, minlength=errors.shape[1]).double() / len(chosen)
    entropy = -torch.special.xlogy(shares, shares).sum()
    right = (errors.argmin(1) == chosen).double()
    bins = (confidence * BINS).long().clamp_max(BINS - 1)
    gaps = [
        float((right[bins == b].mean() - confidence[bins == b].mean()).abs()) * int((bins == b).sum())
        for b in bins.unique()
    ]
    return Hypotheses(float(entropy.exp()), float(right.mean()), sum(gaps) / len(chosen))
