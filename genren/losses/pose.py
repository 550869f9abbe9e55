"""Terms on pose hypotheses (method: 3.1)."""

import math

from torch import Tensor

from genren.geometry.rotations import geodesic


def rotation_cycle(rotation: Tensor, hypotheses: Tensor, probabilities: Tensor) -> Tensor:
    """L_rot: angle from the true rotation (B, 3, 3) to each hypothesis (B, H, 3, 3), weighted by probability."""
    return (probabilities * geodesic(rotation.detach()[:, None], hypotheses)).sum(1).mean()


def rotation_diversity(hypotheses: Tensor, probabilities: Tensor) -> Tensor:
    """L_div: minus the expected angle between two hypotheses drawn by their probabilities, over pi, in [-1, 0]."""
    angles = geodesic(hypotheses[:, :, None], hypotheses[:, None])
    pairs = probabilities[:, :, None] * probabilities[:, None]
    return -(pairs * angles).sum((1, 2)).mean() / math.pi


def hypothesis_match(best: Tensor, hypotheses: Tensor) -> Tensor:
    """Mean squared distance of every hypothesis' quantity (B, H, D) to the best one's (B, D), which is held fixed."""
    return (best.detach()[:, None] - hypotheses).square().mean()
