"""F-score: the share of a surface that lies within a given distance of the other, both ways in one number.

Reported in [0, 1]. Kaolin's `f_score` counts its misses differently and is not comparable.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from genren.metrics.chamfer import SurfaceDistances

# Threshold as names write it -> distance, in units of the longest side. Pixel2Mesh names its thresholds by the
# *squared* distance, Tatarchenko et al. by the distance: `1e-4` is also their F-score at 1 %, and `4e-4` that at 2 %.
THRESHOLDS = {
    "1e-4": 0.01,
    "2e-4": math.sqrt(2e-4),
    "4e-4": 0.02,
}


@dataclass(frozen=True)
class FScore:
    """F-score of a batch with the two shares it is made of, each (B,) in [0, 1]."""

    precision: Tensor  # share of the prediction that lies near the target
    recall: Tensor  # share of the target that lies near the prediction
    fscore: Tensor  # harmonic mean of both, 0 where both are 0


def fscore(distances: SurfaceDistances, threshold: float) -> FScore:
    """F-score at a distance (not squared), counting points at the threshold itself as near; NaN distances give NaN."""
    precision = _share(distances.accuracy, threshold)
    recall = _share(distances.completeness, threshold)
    # Where both shares are 0 the numerator is 0 too, and any positive denominator gives the score 0.
    harmonic = 2 * precision * recall / (precision + recall).clamp_min(1e-12)
    return FScore(precision, recall, harmonic)


def _share(distances: Tensor, threshold: float) -> Tensor:
    """Share (B,) of distances (B, N) within the threshold; a comparison alone would count NaN as far."""
    return (distances <= threshold).double().mean(-1) + 0 * distances.double().sum(-1)
