"""Points on a triangle mesh, in NumPy."""

import numpy as np

from genren.errors import InputError


def sample_surface(
    vertices: np.ndarray, faces: np.ndarray, count: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw `count` points uniformly by area from vertices (V, 3) and faces (F, 3).

    Returns points (count, 3), the unit normals of their faces (count, 3) by the right-hand rule, and the index of the
    face under each point (count,). A mesh without area is an error.
    """
    corners = vertices[faces]  # (F, 3, 3)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    lengths = np.linalg.norm(normals, axis=1)  # twice the area
    cumulative = np.cumsum(lengths)
    if len(faces) == 0 or not 0 < cumulative[-1] < np.inf:
        raise InputError(f"a mesh of {len(faces)} faces has no surface to sample; expected a positive, finite area")

    # side="right" steps over faces without area; the last point of the range may round up to the end.
    positions = rng.random(count) * cumulative[-1]
    chosen = np.searchsorted(cumulative, positions, side="right").clip(max=np.flatnonzero(lengths)[-1])

    # Uniform in a triangle: the square root undoes the crowding towards the first corner.
    root, second = np.sqrt(rng.random(count)), rng.random(count)
    weights = np.stack([1 - root, root * (1 - second), root * second], axis=1)
    points = np.einsum("nk,nkd->nd", weights, corners[chosen])
    return points, normals[chosen] / lengths[chosen, None], chosen
