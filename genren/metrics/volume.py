"""Volumetric IoU of two closed meshes, on a lattice of cell centres.

Inside is where the winding number is not 0, so parts that overlap, as in most modelled furniture, count once.
"""

import numpy as np

from genren.errors import InputError

# Cells along a longest side of 1. OccNet draws 100,000 points at random; these are as many per cubed side, and regular.
RESOLUTION = 48


def is_watertight(vertices: np.ndarray, faces: np.ndarray) -> bool:
    """Whether a mesh (V, 3), (F, 3) encloses a volume: every edge is walked as often one way as the other.

    Vertices at one place count as one, as files split them along seams of colour and texture.
    """
    if not len(faces) or not np.isfinite(vertices).all():
        return False
    _, place = np.unique(np.round(vertices, 6), axis=0, return_inverse=True)
    corners = place.reshape(-1)[faces]
    edges = np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]])
    edges = edges[edges[:, 0] != edges[:, 1]]
    count = int(corners.max()) + 1
    balance: dict[str, np.ndarray] = {}
    for name, (one, other) in {"there": (0, 1), "back": (1, 0)}.items():
        balance[name] = np.sort(edges[:, one] * count + edges[:, other])
    return bool(len(edges)) and bool((balance["there"] == balance["back"]).all())


def volume_iou(
    predicted: np.ndarray, predicted_faces: np.ndarray, target: np.ndarray, target_faces: np.ndarray
) -> float:
    """Intersection over union of the volumes of two watertight meshes, vertices (V, 3) in the canonical frame.

    In [0, 1], 1 is best. Raises InputError where either is open, as it has no volume.
    """
    for name, vertices, faces in (("predicted", predicted, predicted_faces), ("target", target, target_faces)):
        if not is_watertight(vertices, faces):
            raise InputError(
                f"the {name} mesh is not watertight, so it has no volume; close it or leave this metric out"
            )
    low = np.floor(np.minimum(predicted.min(0), target.min(0)) * RESOLUTION).astype(int)
    high = np.ceil(np.maximum(predicted.max(0), target.max(0)) * RESOLUTION).astype(int)
    one = occupancy(predicted * RESOLUTION - low, predicted_faces, tuple(high - low))
    other = occupancy(target * RESOLUTION - low, target_faces, tuple(high - low))
    union = int((one | other).sum())
    # Two meshes thinner than a cell enclose no centre: their overlap is unknown, not perfect.
    return int((one & other).sum()) / union if union else float("nan")


def occupancy(vertices: np.ndarray, faces: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Which cell centres of a lattice of `shape` lie inside a closed mesh, vertices (V, 3) in cells: bool.

    Every column of cells along z is a ray: a face that it crosses adds its sign to the winding of the cells below.
    """
    # A hair off the centres, so that no ray runs along an edge.
    corners = vertices[faces].astype(np.float64)
    corners[..., :2] += np.array([3.1e-5, 1.7e-5])
    winding = np.zeros((shape[0], shape[1], shape[2] + 1), dtype=np.int32)

    # All columns whose centre lies in the box of a face, one row each.
    first = np.ceil(corners[..., :2].min(1) - 0.5).astype(int).clip(0)
    last = np.minimum(np.floor(corners[..., :2].max(1) - 0.5).astype(int), np.array(shape[:2]) - 1)
    width = (last - first + 1).clip(0)
    count = width[:, 0] * width[:, 1]
    face = np.repeat(np.arange(len(faces)), count)
    step = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    x, y = first[face, 0] + step // width[face, 1], first[face, 1] + step % width[face, 1]

    a, b, c = corners[face].transpose(1, 0, 2)
    center = np.stack([x, y], axis=1) + 0.5

    def turn(p: np.ndarray, q: np.ndarray, r: np.ndarray) -> np.ndarray:
        """Twice the signed area of triangles in the plane."""
        area: np.ndarray = (q[:, 0] - p[:, 0]) * (r[:, 1] - p[:, 1]) - (q[:, 1] - p[:, 1]) * (r[:, 0] - p[:, 0])
        return area

    weights = np.stack([turn(b, c, center), turn(c, a, center), turn(a, b, center)])
    area = weights.sum(0)
    hit = ((weights > 0).all(0) | (weights < 0).all(0)) & (area != 0)
    height = (weights[:, hit] / area[hit] * np.stack([a, b, c])[:, hit, 2]).sum(0)
    # Cells up to the crossing are below it.
    below = np.ceil(height - 0.5).astype(int).clip(0, shape[2])
    np.add.at(winding, (x[hit], y[hit], below), np.sign(area[hit]).astype(np.int32))
    # Summed from above: a cell's winding is that of all crossings over it.
    above = winding[..., ::-1].cumsum(-1)[..., ::-1]
    inside: np.ndarray = above[..., 1:] != 0
    return inside
