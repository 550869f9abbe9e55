"""Earth mover's distance between two samples of equal size, by exact assignment.

Solvers differ by more than methods do (auction algorithms stop early, Sinkhorn blurs), so the name says which it is:
`emd_exact_n512` is the optimum for 512 points a side.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from genren.errors import InputError


def emd_exact(predicted: np.ndarray, target: np.ndarray) -> float:
    """Mean Euclidean distance (not squared, not summed) of points (N, 3) to their partners (N, 3) in the best matching.

    Exact, by SciPy's Jonker-Volgenant; 512 points take tens of milliseconds, four times as many a second. NaN for a
    prediction that is not finite.
    """
    if predicted.shape != target.shape or predicted.ndim != 2 or not len(target):
        raise InputError(
            f"the earth mover's distance matches point by point; expected two (N, 3), got {predicted.shape} and"
            f" {target.shape}"
        )
    if not np.isfinite(predicted).all():
        return float("nan")
    costs = cdist(predicted, target)
    return float(costs[linear_sum_assignment(costs)].mean())
