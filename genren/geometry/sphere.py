"""The template: an icosahedral geodesic sphere with its topology and texture coordinates (method: 1.3)."""

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor


@dataclass(frozen=True)
class Template:
    """A closed triangle mesh that every shape deforms."""

    vertices: Tensor  # (V, 3)
    faces: Tensor  # (F, 3) int64, counter-clockwise seen from outside
    edges: Tensor  # (E, 2) int64, each edge once
    edge_faces: Tensor  # (E, 2) int64, the two faces that share each edge
    uv: Tensor  # (V, 2) in [-1, 1]: horizontal, then vertical with the north pole in the top row
    face_uvs: Tensor  # (F, 3, 2) the same at the faces' corners; across the seam u goes on beyond 1 or -1


def icosphere(subdivisions: int, radius: float = 1.0) -> Template:
    """Icosahedron with every face split into n^2 triangles, on the sphere: 10 n^2 + 2 vertices, 20 n^2 faces.

    The order of vertices and faces is fixed, so weights indexed by vertex are portable.
    """
    corners, triangles = _icosahedron()
    n = subdivisions
    vertices: list[np.ndarray] = []
    index: dict[tuple[tuple[int, int], ...], int] = {}
    faces: list[tuple[int, int, int]] = []

    def vertex(triangle: np.ndarray, weights: tuple[int, int, int]) -> int:
        # Shared by all faces that touch the point: its key is its non-zero weights on the icosahedron's corners.
        key = tuple(sorted((int(c), w) for c, w in zip(triangle, weights, strict=True) if w))
        if key not in index:
            point = sum(w * corners[c] for c, w in key)
            index[key] = len(vertices)
            vertices.append(point / np.linalg.norm(point))
        return index[key]

    for triangle in triangles:
        for i in range(n):
            for j in range(n - i):
                k = n - i - j
                a, b, c = (
                    vertex(triangle, (k, i, j)),
                    vertex(triangle, (k - 1, i + 1, j)),
                    vertex(triangle, (k - 1, i, j + 1)),
                )
                faces.append((a, b, c))
                if k > 1:
                    faces.append((b, vertex(triangle, (k - 2, i + 1, j + 1)), c))
    points = torch.tensor(np.array(vertices), dtype=torch.float32)
    topology = torch.tensor(faces)
    uv = sphere_uv(points)
    return Template(points * radius, topology, *edges_and_faces(topology), uv, across_seam(points, uv, topology))


def sphere_uv(points: Tensor) -> Tensor:
    """Texture coordinates (V, 2) in [-1, 1] of unit vectors (V, 3): longitude from +z towards +x, latitude."""
    x, y, z = points.unbind(-1)
    return torch.stack([torch.atan2(x, z) / math.pi, -2 / math.pi * torch.asin(y.clamp(-1, 1))], dim=-1)


def across_seam(points: Tensor, uv: Tensor, faces: Tensor) -> Tensor:
    """Texture coordinates (F, 3, 2) of corners such that no face spans the map: u may pass 1 or -1 at the seam.

    A pole has every longitude: its corners get the mean of the face's other two.
    """
    corners = uv[faces].clone()
    u, pole = corners[..., 0], (points[faces][..., 1].abs() > 1 - 1e-6)
    first = torch.where(pole[:, :1], u[:, 1:2], u[:, :1])
    u = u + 2 * torch.round((first - u) / 2)
    others = torch.where(pole, 0, u).sum(1, keepdim=True) / (~pole).sum(1, keepdim=True)
    corners[..., 0] = torch.where(pole, others, u)
    return corners


def edges_and_faces(faces: Tensor) -> tuple[Tensor, Tensor]:
    """Unique edges (E, 2) of a closed mesh and the two faces that share each (E, 2)."""
    corners = torch.cat([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]).sort(dim=1).values
    owner = torch.arange(len(faces)).repeat(3)
    order = torch.from_numpy(np.lexsort((corners[:, 1].numpy(), corners[:, 0].numpy())))
    # Sorted, the two mentions of an edge are neighbours.
    return corners[order].view(-1, 2, 2)[:, 0].contiguous(), owner[order].view(-1, 2)


def _icosahedron() -> tuple[np.ndarray, np.ndarray]:
    """Twelve unit vectors with the poles at (0, +-1, 0), twenty outward faces."""
    height, ring = 1 / math.sqrt(5), 2 / math.sqrt(5)
    corners = [(0.0, 1.0, 0.0)]
    for level, turn in ((height, 0.0), (-height, math.pi / 5)):
        corners += [
            (ring * math.sin(turn + 0.4 * math.pi * k), level, ring * math.cos(turn + 0.4 * math.pi * k))
            for k in range(5)
        ]
    corners.append((0.0, -1.0, 0.0))
    triangles = []
    for k in range(5):
        upper, upper_next, lower, lower_next = 1 + k, 1 + (k + 1) % 5, 6 + k, 6 + (k + 1) % 5
        triangles += [
            (0, upper, upper_next),
            (upper, lower, upper_next),
            (upper_next, lower, lower_next),
            (lower, 11, lower_next),
        ]
    return np.array(corners), np.array(triangles)
