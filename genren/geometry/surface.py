"""Batches of deformed templates as tensors: face normals, areas, differentiable surface samples."""

import math

import torch
from torch import Tensor

from genren.engine import ranks


def at_corners(values: Tensor, faces: Tensor) -> Tensor:
    """Per-vertex values (B, V, D) at the corners of faces (F, 3): (B, F, 3, D).

    The gradient of `index_select` adds rows up, several times as fast as that of indexing with a tensor.
    """
    return values.index_select(1, faces.flatten()).unflatten(1, faces.shape)


def face_normals(vertices: Tensor, faces: Tensor) -> tuple[Tensor, Tensor]:
    """Unit normals (B, F, 3) and areas (B, F) of faces (F, 3) on vertices (B, V, 3); a degenerate face has normal 0."""
    a, b, c = at_corners(vertices, faces).unbind(2)
    normals = torch.linalg.cross(b - a, c - a)
    twice_area = normals.norm(dim=-1)
    return normals / twice_area.clamp_min(1e-12)[..., None], twice_area / 2


def sample_surface(
    vertices: Tensor,
    faces: Tensor,
    count: int,
    generator: torch.Generator | None = None,
    area_floor: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Area-uniform points (B, count, 3) on each mesh, differentiable in the vertices, and their faces (B, count).

    Barycentric weights are (1 - sqrt(u1), sqrt(u1)(1 - u2), sqrt(u1) u2) (method: 3.1). A face's squared cross product
    counts as `area_floor` at least: the original's 1e-5 draws small faces too often (method: 8.1, wart 6).
    """
    with torch.no_grad():
        _, areas = face_normals(vertices, faces)
        areas = areas.clamp_min(math.sqrt(area_floor) / 2)
        # A relative floor keeps a collapsed mesh drawable without touching the uniformity of a sound one.
        weights = areas + 1e-6 * areas.sum(1, keepdim=True).clamp_min(1e-12) / areas.shape[1]
        options = {"generator": generator, "device": vertices.device, "dtype": vertices.dtype}
        u = ranks.draw(torch.rand, len(vertices), 3, count, **options).unbind(1)
        # The face under a uniform share of the cumulative area.
        cumulative = weights.cumsum(1)
        chosen = torch.searchsorted(cumulative, u[2] * cumulative[:, -1:], right=True).clamp_max(len(faces) - 1)
        root = u[0].sqrt()
        barycentric = torch.stack([1 - root, root * (1 - u[1]), root * u[1]], dim=-1)
    corners = torch.take_along_dim(vertices[:, :, None], faces[chosen].flatten(1)[..., None, None], dim=1)
    corners = corners.view(*chosen.shape, 3, 3)
    return (barycentric[..., None] * corners).sum(2), chosen
