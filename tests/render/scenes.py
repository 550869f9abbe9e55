"""Triangles to draw: random ones, special ones, and a sphere."""

import torch
from torch import Tensor

from genren.geometry.sphere import icosphere


def random_faces(batch: int, faces: int, size: float = 0.3, dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
    """Random triangles around the image, some partly outside of it: depth, NDC corners, three features."""
    centers = torch.rand(batch, faces, 1, 2, dtype=dtype) * 2.4 - 1.2
    image = centers + size * torch.randn(batch, faces, 3, 2, dtype=dtype)
    depth = -1 - torch.rand(batch, faces, 3, dtype=dtype)
    return depth, image, torch.rand(batch, faces, 3, 3, dtype=dtype)


def special_faces(dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
    """One mesh of what goes wrong elsewhere: thin, point-like, huge, off-screen, clockwise and overlapping faces."""
    image = torch.tensor(
        [
            [[-0.6, -0.5], [0.7, -0.4], [0.05, 0.8]],  # an ordinary one
            [[-0.6, -0.5], [0.05, 0.8], [0.7, -0.4]],  # the same the other way round, behind it
            [[-0.5, 0.1], [0.5, 0.1], [0.0, 0.1]],  # corners in a line
            [[0.3, 0.3], [0.3, 0.3], [0.3, 0.3]],  # a point
            [[0.2, -0.9], [0.2, -0.9], [0.9, -0.7]],  # an edge
            [[-5e3, -4e3], [6e3, -5e3], [1e2, 7e3]],  # covers everything, farthest of all
            [[2.0, 2.1], [2.5, 2.0], [2.2, 3.0]],  # off the screen
            [[-1e7, 0.2], [-9e6, 0.3], [-9.5e6, 0.4]],  # far off the screen
            [[0.1, 0.1], [0.1005, 0.1], [0.1, 0.1005]],  # between pixel centres
        ],
        dtype=dtype,
    )[None]
    depth = -torch.linspace(1, 2, image.shape[1], dtype=dtype)[None, :, None].repeat(1, 1, 3)
    depth[:, 5] = -9
    return depth, image, torch.rand(*image.shape[:3], 3, dtype=dtype)


def sphere(
    batch: int, subdivisions: int, device: str = "cpu", dtype: torch.dtype = torch.float32
) -> tuple[Tensor, Tensor, Tensor]:
    """Depth, NDC corners and three features of slightly different spheres of radius 0.6."""
    template = icosphere(subdivisions, 0.6)
    noise = torch.randn(batch, len(template.vertices), 3, dtype=dtype)
    vertices = template.vertices.to(dtype) + 0.1 / subdivisions * noise
    corners = vertices[:, template.faces].to(device)
    return corners[..., 2].contiguous(), corners[..., :2].contiguous(), torch.rand_like(corners)
