"""Precision, recall, density and coverage of a set of features: is what was made real, and is all that is real made.

Precision and recall: Kynkäänniemi et al. 2019. Density and coverage: Naeem et al. 2020, who mend that one outlier among
the real samples covers a large ball, and that fake outliers raise recall.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.features import check_features


@dataclass(frozen=True)
class PRDC:
    """The four shares; density may exceed 1, the others are in [0, 1]."""

    precision: float  # of the fake samples, how many lie in the ball of some real one
    recall: float  # of the real samples, how many lie in the ball of some fake one
    density: float  # how many real balls a fake sample lies in, over k
    coverage: float  # of the real samples, how many have a fake one in their ball


def prdc(real: Tensor, fake: Tensor, k: int = 5) -> PRDC:
    """Shares between real (N, D) and fake (M, D) features; a ball reaches to the k-th nearest of its own set.

    Raises InputError for k samples or fewer a side, features of different widths, and features that are not finite.
    """
    real, fake = check_features("real", real, least=k + 1), check_features("fake", fake, least=k + 1)
    if real.shape[1] != fake.shape[1]:
        raise InputError(f"features must be of one width, got {real.shape[1]} and {fake.shape[1]}")
    real_radius, fake_radius = _radii(real, k), _radii(fake, k)
    apart = _distances(real, fake)  # (N, M)
    in_real, in_fake = apart < real_radius[:, None], apart < fake_radius
    return PRDC(
        precision=_mean(in_real.any(0)),
        recall=_mean(in_fake.any(1)),
        density=_mean(in_real.sum(0)) / k,
        coverage=_mean(apart.amin(1) < real_radius),
    )


def _radii(features: Tensor, k: int) -> Tensor:
    """Distance of each sample to the k-th nearest other one; the nearest of all is the sample itself."""
    return _distances(features, features).kthvalue(k + 1, dim=1).values


def _distances(x: Tensor, y: Tensor) -> Tensor:
    return torch.cdist(x, y, compute_mode="donot_use_mm_for_euclid_dist")


def _mean(values: Tensor) -> float:
    return float(values.double().mean())
