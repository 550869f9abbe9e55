"""Distances between two surface samples, both ways, and the two Chamfer distances made of them.

"Chamfer distance" names at least three numbers in the literature. Here `l1` averages the two directions of plain
distances (Occupancy Networks' chamfer-L1, without its factor 10), and `l2` sums the two directions of squared ones
(Kaolin, PyTorch3D, Pixel2Mesh). Units are those of the points: the target's longest box side is 1.
"""

from dataclasses import dataclass

from torch import Tensor

from genren.geometry.nearest import gather_points, nearest


@dataclass(frozen=True)
class SurfaceDistances:
    """Euclidean distance of each sample to the other surface's nearest sample; all a reconstruction score needs."""

    accuracy: Tensor  # (B, P), from each predicted point to the target
    completeness: Tensor  # (B, T), from each target point to the prediction


def surface_distances(predicted: Tensor, target: Tensor) -> SurfaceDistances:
    """Distances between points (B, P, 3) sampled on the prediction and (B, T, 3) on the target; one search a way.

    Raises InputError for points that are not finite and for an empty side.
    """
    return SurfaceDistances(
        accuracy=(predicted - gather_points(target, nearest(predicted, target))).norm(dim=-1),
        completeness=(target - gather_points(predicted, nearest(target, predicted))).norm(dim=-1),
    )


def chamfer_l1(distances: SurfaceDistances) -> Tensor:
    """Mean of mean accuracy and mean completeness, (B,); plain distances, so in units of the longest side."""
    return (distances.accuracy.mean(-1) + distances.completeness.mean(-1)) / 2


def chamfer_l2(distances: SurfaceDistances) -> Tensor:
    """Sum of mean squared accuracy and mean squared completeness, (B,); squared units, not halved, not rooted."""
    return distances.accuracy.square().mean(-1) + distances.completeness.square().mean(-1)
