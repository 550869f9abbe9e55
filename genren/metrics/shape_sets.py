"""How a set of generated shapes resembles a set of real ones: MMD, COV, 1-NNA on Chamfer distances, and JSD.

Names and definitions are those of Achlioptas et al. 2018 and Yang et al. 2019 (PointFlow); the Chamfer distance is the
sum of the two mean squared ones. Clouds are in the canonical frame and never rescaled.
"""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from genren.errors import InputError
from genren.geometry.nearest import CPU_THREADS, kd_tree

GRID = 28  # cells a side of the unit cube, in the Jensen-Shannon divergence


@dataclass(frozen=True)
class ShapeSets:
    """Generated against real shapes."""

    mmd: float  # mean over real shapes of the distance to the nearest generated one; 0 is best
    coverage: float  # share of real shapes that are the nearest of some generated one; 1 is best
    one_nna: float  # accuracy of a 1-nearest-neighbour test which set a shape is from; 0.5 is best, above: told apart
    jsd: float  # Jensen-Shannon divergence of where the points lie, bits, [0, 1]; 0 is best


def shape_sets(generated: np.ndarray, real: np.ndarray) -> ShapeSets:
    """Compare shapes (G, P, 3) with (R, P, 3), the same number of points each.

    1-NNA means something only for as many shapes on both sides; other counts are an InputError, as are fewer than two.
    """
    if generated.shape != real.shape or real.ndim != 3 or len(real) < 2:
        raise InputError(
            f"sets of shapes must both be (N, P, 3) with N at least 2, got {generated.shape} and {real.shape}"
        )
    every = np.concatenate([generated, real])
    if not np.isfinite(every).all():
        raise InputError("a shape has points that are not finite; leave out what diverged, from both sides")
    distances = chamfer_matrix(every)
    count = len(generated)
    across = distances[:count, count:]  # (G, R)
    np.fill_diagonal(distances, np.inf)
    nearest_is_generated = distances.argmin(1) < count
    right = np.concatenate([nearest_is_generated[:count], ~nearest_is_generated[count:]])
    return ShapeSets(
        mmd=float(across.min(0).mean()),
        coverage=len(np.unique(across.argmin(1))) / count,
        one_nna=float(right.mean()),
        jsd=jsd(generated, real),
    )


def chamfer_matrix(clouds: np.ndarray) -> np.ndarray:
    """Chamfer distance, sum of mean squares, between all pairs of clouds (N, P, 3): (N, N)."""
    # Neighbours in a cloud ask after each other, so that what the tree has loaded is used again.
    ordered = np.stack([cloud[kd_tree(cloud).indices] for cloud in clouds])
    trees = [kd_tree(cloud) for cloud in ordered]

    def row(index: int) -> np.ndarray:
        means = [np.square(tree.query(ordered[index])[0]).mean() for tree in trees]
        return np.array(means)

    with ThreadPoolExecutor(CPU_THREADS) as pool:
        one_way = np.stack(list(pool.map(row, range(len(clouds)))))
    matrix: np.ndarray = one_way + one_way.T
    return matrix


def jsd(generated: np.ndarray, real: np.ndarray) -> float:
    """Jensen-Shannon divergence, in bits, of the shares of points in each of 28^3 cells of the unit cube."""
    p, q = _shares(generated), _shares(real)
    middle = (p + q) / 2

    def divergence(shares: np.ndarray) -> float:
        some = shares > 0
        return float((shares[some] * np.log2(shares[some] / middle[some])).sum())

    return (divergence(p) + divergence(q)) / 2


def _shares(clouds: np.ndarray) -> np.ndarray:
    """Share of points in each cell (28^3,); those outside the cube count in the nearest cell."""
    cells = np.floor((clouds.reshape(-1, 3) + 0.5) * GRID).astype(int).clip(0, GRID - 1)
    index = (cells[:, 0] * GRID + cells[:, 1]) * GRID + cells[:, 2]
    return np.bincount(index, minlength=GRID**3) / len(index)
