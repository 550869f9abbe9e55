"""Surfaces as dense samples that can be searched, and the distances between pairs of them.

A surface has two numbers of samples: how densely it is covered, which is what a search runs into, and how many of them
ask. Too thin a cover reads as distance (two covers of one sphere by 1,000 points score F = 0.11 at 1 %); few queries
only add noise that averages out. So `Surface` is dense, and its first `queries` samples ask.
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from scipy.spatial import cKDTree

from genren.errors import InputError
from genren.geometry.nearest import CPU_THREADS, kd_tree
from genren.metrics.chamfer import SurfaceDistances


@dataclass(frozen=True)
class Surface:
    """Independent uniform samples of one surface, of which the first `queries` are asked for their neighbours."""

    points: np.ndarray  # (P, 3)
    normals: np.ndarray  # (P, 3), unit
    queries: int

    @cached_property
    def tree(self) -> cKDTree:
        """Search tree over all samples; built once, however many predictions are held against the surface."""
        return kd_tree(self.points)


@dataclass(frozen=True)
class Motion:
    """R p + t, of a prediction before it is compared."""

    rotation: np.ndarray  # (3, 3)
    translation: np.ndarray  # (3,)


STILL = Motion(np.eye(3), np.zeros(3))


def compare(
    predicted: Sequence[Surface], target: Sequence[Surface], motions: Sequence[Motion] | None = None
) -> SurfaceDistances:
    """Distances of N pairs of surfaces, all with the same number of queries a side: (N, queries) float64.

    With motions the predictions are moved first. A prediction that is empty or not finite gets rows of NaN, so that it
    can be counted and named, and so does every mean over it. A target like that is an InputError.
    """
    for index, surface in enumerate(target):
        if not _usable(surface):
            raise InputError(f"target surface {index} has no points, or some that are not finite; check the clouds")
    with ThreadPoolExecutor(CPU_THREADS) as pool:
        rows = list(pool.map(_pair, predicted, target, motions or [STILL] * len(target)))
    columns = [torch.from_numpy(np.stack(column)) for column in zip(*rows, strict=True)]
    return SurfaceDistances(*columns)


def _pair(predicted: Surface, target: Surface, motion: Motion) -> tuple[np.ndarray, ...]:
    """Accuracy, completeness and the cosines of both."""
    if not _usable(predicted):
        nothing, all_of_it = np.full(predicted.queries, np.nan), np.full(target.queries, np.nan)
        return nothing, all_of_it, nothing, all_of_it
    accuracy, forward = _search(predicted, target, motion)
    # The prediction's tree stays where it is: the target's queries take the way back.
    back = Motion(motion.rotation.T, -motion.translation @ motion.rotation)
    completeness, backward = _search(target, predicted, back)
    return accuracy, completeness, forward, backward


def _search(asking: Surface, other: Surface, motion: Motion) -> tuple[np.ndarray, np.ndarray]:
    """Distance from the moved queries of one surface to the samples of another, and |cos| between their normals."""
    queries = asking.points[: asking.queries] @ motion.rotation.T + motion.translation
    found, index = other.tree.query(queries)
    distances = np.asarray(found)
    normals = asking.normals[: asking.queries] @ motion.rotation.T
    return distances, np.abs(np.einsum("qd,qd->q", normals, other.normals[index]))


def _usable(surface: Surface) -> bool:
    return len(surface.points) > 0 and bool(np.isfinite(surface.points).all())
