"""Terms on shapes: Chamfer, normals, mesh smoothness, displacement (method: 3.1)."""

import torch
from torch import Tensor

from genren.geometry.nearest import gather_points, nearest
from genren.geometry.sphere import Template
from genren.geometry.surface import at_corners, face_normals, sample_surface


def chamfer_and_normals(
    vertices: Tensor, faces: Tensor, points: Tensor, normals: Tensor, samples: int, area_floor: float = 0.0
) -> tuple[Tensor, Tensor]:
    """L_cham and L_norm of meshes (B, V, 3) against oriented clouds (B, P, 3).

    L_cham is the squared two-way distance of the cloud to the vertices plus that to `samples` surface points. L_norm is
    minus the mean absolute cosine between normals of nearest points, both ways, in [-2, 0]; orientation does not count.
    """
    surface, chosen = sample_surface(vertices, faces, samples, area_floor=area_floor)
    unit, _ = face_normals(vertices, faces)
    surface_normals = torch.take_along_dim(unit, chosen[..., None], dim=1)
    to_points, to_surface = nearest(surface, points), nearest(points, surface)
    chamfer = squared_chamfer(vertices, points) + _two_way(surface, points, to_points, to_surface)
    forward = (gather_points(normals, to_points) * surface_normals).sum(-1).abs().mean()
    backward = (gather_points(surface_normals, to_surface) * normals).sum(-1).abs().mean()
    return chamfer, -forward - backward


def squared_chamfer(x: Tensor, y: Tensor) -> Tensor:
    """cd(X, Y): mean squared distance of X (B, N, 3) to its nearest in Y (B, M, 3), plus the reverse."""
    return _two_way(x, y, nearest(x, y), nearest(y, x))


def _two_way(x: Tensor, y: Tensor, x_to_y: Tensor, y_to_x: Tensor) -> Tensor:
    return (x - gather_points(y, x_to_y)).square().sum(-1).mean() + (y - gather_points(x, y_to_x)).square().sum(
        -1
    ).mean()


def mesh_smoothness(vertices: Tensor, template: Template, terms: str = "exact") -> Tensor:
    """L_mesh = 1500 L_edge + 10 L_lap + 1 L_flat of meshes (B, V, 3) with the template's topology.

    L_edge is the mean squared edge length (0 below 0.01), L_lap the batch mean of the summed squared distances to
    the mean of the neighbours, L_flat that of (1 - cos) squared between the normals of adjacent faces.

    `terms` is 'exact'; 'released', with the original's epsilons in L_flat (method: 3.1); or 'mean', means in place of
    the sums, scaled to agree with 'exact' on the original's template of 1002 vertices and 3000 edges.
    """
    start, end = template.edges.T
    edges = vertices.index_select(1, start) - vertices.index_select(1, end)
    squared = edges.square().sum(-1)
    edge_term = torch.where(squared > 1e-4, squared, 0.0).mean()

    # The sum over a vertex's edges of (vertex - neighbour), divided by their number.
    degree = vertices.new_zeros(vertices.shape[1]).index_add(
        0, template.edges.flatten(), vertices.new_ones(template.edges.numel())
    )
    pull = torch.zeros_like(vertices).index_add(1, start, edges).index_add(1, end, -edges)
    laplacian = (pull / degree[:, None]).square().sum((1, 2)).mean()

    flatness = (_released_folds if terms == "released" else _folds)(vertices, template).sum(1).mean()
    if terms == "mean":
        laplacian, flatness = laplacian * 1002 / vertices.shape[1], flatness * 3000 / len(template.edges)
    return 1500 * edge_term + 10 * laplacian + flatness


def _folds(vertices: Tensor, template: Template) -> Tensor:
    """(1 - cos)^2 between the normals of the faces at every edge: (B, E)."""
    normals, _ = face_normals(vertices, template.faces)
    one, other = at_corners(normals, template.edge_faces).unbind(2)
    return (1 - (one * other).sum(-1)).square()


def _released_folds(vertices: Tensor, template: Template) -> Tensor:
    """(cos + 1)^2 between the in-face directions across every edge, as released: (B, E), 0 for edges it leaves out.

    Its epsilon of 1e-5 is not small beside squared edges. It collects the first two edges of every face only.
    """
    eps = 1e-5
    ends, faces = template.edges, template.faces[template.edge_faces]  # (E, 2), (E, 2, 3)
    wings = faces.sum(-1) - ends.sum(-1, keepdim=True)  # the corner of each face that is not on the edge
    corners = at_corners(vertices, torch.cat([ends, wings], dim=1))  # (B, E, 4, 3)
    a = (corners[:, :, 1] - corners[:, :, 0])[:, :, None]
    b = corners[:, :, 2:] - corners[:, :, :1]  # (B, E, 2, 3)
    a_squared, b_squared, along = a.square().sum(-1), b.square().sum(-1), (a * b).sum(-1)
    perpendicular = b - a * (along / (a_squared + eps))[..., None]
    cosine = along / ((a_squared + eps).sqrt() * (b_squared + eps).sqrt() + eps)
    length = (b_squared + eps).sqrt() * (1 - cosine.square() + eps).sqrt()
    fold = perpendicular.prod(2).sum(-1) / (length.prod(2) + eps)
    # The third edge of a face is the one opposite its middle corner.
    collected = (wings != faces[..., 1]).any(1)
    return (fold + 1).square() * collected


def delta_variation(delta: Tensor, edges: Tensor) -> Tensor:
    """L_delta: mean over faces of the summed unbiased variance over their corners of displacements (B, impulses, V, 3).

    The variance of three values is a sixth of their summed squared differences, and on a closed mesh every edge (E, 2)
    has two faces, so it is half the mean squared difference along the edges.
    """
    start, end = edges.T
    return (delta.index_select(2, start) - delta.index_select(2, end)).square().sum(-1).mean() / 2
