"""Distances between two surface samples, both ways, and the two Chamfer distances made of them.

"Chamfer distance" names at least three numbers in the literature. Here `l1` averages the two directions of plain
distances (Occupancy Networks' chamfer-L1, without its factor 10), and `l2` sums the two directions of squared ones
(Kaolin, PyTorch3D, Pixel2Mesh). Units are those of the points: in the canonical frame the
target's longest box side is 1.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from genren.geometry.nearest import nearest_distances


@dataclass(frozen=True)
class SurfaceDistances:
    """Euclidean distance of each sample to the other surface's nearest sample; all a reconstruction score needs."""

    accuracy: Tensor  # (B, P), from each predicted point to the target
    completeness: Tensor  # (B, T), from each target point to the prediction
    accuracy_cosine: Tensor | None = None  # (B, P), |cos| between the normals of those two points
    completeness_cosine: Tensor | None = None  # (B, T)

    def scaled(self, factor: Tensor) -> "SurfaceDistances":
        """The same pairs measured in another unit; `factor` (B,) is how many of it an old one is."""
        return replace(self, accuracy=self.accuracy * factor[:, None], completeness=self.completeness * factor[:, None])


def surface_distances(predicted: Tensor, target: Tensor) -> SurfaceDistances:
    """Distances between points (B, P, 3) sampled on the prediction and (B, T, 3) on the target; one search a way.

    Raises InputError for points that are not finite and for an empty side.
    """
    return SurfaceDistances(nearest_distances(predicted, target), nearest_distances(target, predicted))


def chamfer_l1(distances: SurfaceDistances) -> Tensor:
    """Mean of mean accuracy and mean completeness, (B,); plain distances, so in units of the longest side."""
    return (distances.accuracy.mean(-1) + distances.completeness.mean(-1)) / 2


def chamfer_l2(distances: SurfaceDistances) -> Tensor:
    """Sum of mean squared accuracy and mean squared completeness, (B,); squared units, not halved, not rooted."""
    return distances.accuracy.square().mean(-1) + distances.completeness.square().mean(-1)


def normal_consistency(distances: SurfaceDistances) -> Tensor:
    """Mean over both ways of |cos| between normals of nearest points, (B,) in [0, 1], 1 is best; 0.5 is chance.

    As in Occupancy Networks: which side of a face is outside does not count.
    """
    if distances.accuracy_cosine is None or distances.completeness_cosine is None:
        raise ValueError("normal consistency needs samples with normals; compare surfaces, not bare points")
    return (distances.accuracy_cosine.mean(-1) + distances.completeness_cosine.mean(-1)) / 2
