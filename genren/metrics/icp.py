"""Rigid alignment of a prediction to the truth before it is scored, for protocols that forgive the frame.

Models that learn without poses may choose their own front. Starts are spread about the up axis, so that ICP can find
any of them; scale is never fitted.
"""

import numpy as np
from scipy.spatial import cKDTree

from genren.geometry.nearest import kd_tree
from genren.metrics.surface import STILL, Motion

STARTS = 8  # rotations about +y that are tried
ROUGH = (4, 200)  # steps and points of each start
FINE = (20, 800)  # steps and points from the best one on
TARGET = 4000  # samples of the truth: a coarse tree aligns as well as a dense one, several times as fast
CONVERGED = 1e-6  # change of the mean squared distance, relative, that ends it


def align(predicted: np.ndarray, target: np.ndarray) -> Motion:
    """Best rigid motion of points (P, 3) onto (T, 3), each independent samples in random order.

    Point-to-point ICP (Besl and McKay 1992) from 8 azimuths; that of the least two-way residual is refined. Never worse
    than no motion at all.
    """
    target = target[:TARGET]
    tree = kd_tree(target)
    rough = []
    for angle in 2 * np.pi * np.arange(STARTS) / STARTS:
        found = _descend(predicted, tree, Motion(_about_y(angle), STILL.translation), *ROUGH)
        rough.append((_residual(predicted, target, tree, found, ROUGH[1]), found))
    best = min(rough, key=lambda pair: pair[0])[1]
    candidates = (STILL, _descend(predicted, tree, best, *FINE))
    return min(candidates, key=lambda motion: _residual(predicted, target, tree, motion, FINE[1]))


def _descend(predicted: np.ndarray, tree: cKDTree, motion: Motion, steps: int, count: int) -> Motion:
    """ICP from one start, on the first `count` points of the prediction."""
    source, last = predicted[:count], np.inf
    for _ in range(steps):
        distances, index = tree.query(source @ motion.rotation.T + motion.translation)
        # The error of the motion so far; Kabsch never makes it larger.
        error = float(np.square(distances).mean())
        if last - error <= CONVERGED * error:
            break
        last, motion = error, kabsch(source, np.asarray(tree.data)[index])
    return motion


def kabsch(source: np.ndarray, target: np.ndarray) -> Motion:
    """The rigid motion of least squared error from points (N, 3) to partners (N, 3)."""
    from_center, to_center = source.mean(0), target.mean(0)
    u, _, vt = np.linalg.svd((source - from_center).T @ (target - to_center))
    # Of the two orthogonal solutions the one that is no mirror image.
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ flip @ vt).T
    return Motion(rotation, to_center - rotation @ from_center)


def _residual(predicted: np.ndarray, target: np.ndarray, tree: cKDTree, motion: Motion, count: int) -> float:
    """Mean squared distance both ways: one way alone rewards a prediction that hides inside the truth."""
    moved = predicted[:count] @ motion.rotation.T + motion.translation
    there, back = tree.query(moved)[0], kd_tree(moved).query(target[:count])[0]
    return float(np.square(there).mean() + np.square(back).mean())


def _about_y(angle: float) -> np.ndarray:
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])
