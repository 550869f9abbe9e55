"""F-score: the share of a surface that lies within a given distance of the other, both ways in one number.

Reported in [0, 1]. Kaolin's `f_score` counts its misses differently and is not comparable.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from genren.metrics.chamfer import SurfaceDistances

# Metric name -> distance, in units of the longest side. Pixel2Mesh names its thresholds by the *squared* distance,
# Tatarchenko et al. by the distance: `fscore_1e-4` is also their F-score at 1 %, and `fscore_4e-4` that at 2 %.
THRESHOLDS = {
    "fscore_1e-4": 0.01,
    "fscore_2e-4": math.sqrt(2e-4),
    "fscore_4e-4": 0.02,
}


@dataclass(frozen=True)
class FScore:
    """F-score of a batch with the two shares it is made of, each (B,) in [0, 1]."""

    precision: Tensor  # share of the prediction that lies near the target
    recall: Tensor  # share of the target that lies near the prediction
    fscore: Tensor  # harmonic mean of both, 0 where both are 0


def fscore(distances: SurfaceDistances, threshold: float) -> FScore:
    """F-score at a distance (not squared), counting points at the threshold itself as near."""
    precision = (distances.accuracy <= threshold).double().mean(-1)
    recall = (distances.completeness <= threshold).double().mean(-1)
    # Where both shares are 0 the numerator is 0 too, and any positive denominator gives the score 0.
    harmonic = 2 * precision * recall / (precision + recall).clamp_min(1e-12)
    return FScore(precision, recall, harmonic)
