"""Differentiable surface samples."""

import torch

from genren.geometry.sphere import icosphere
from genren.geometry.surface import face_normals, sample_surface


def test_samples_lie_on_their_faces_in_proportion_to_area():
    """A face four times as large gets four times the samples, and every sample lies in its plane."""
    vertices = torch.tensor([[[0.0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 5.0], [2, 0, 5], [0, 2, 5]]])
    faces = torch.tensor([[0, 1, 2], [3, 4, 5]])

    points, chosen = sample_surface(vertices, faces, 20_000)

    torch.testing.assert_close(points[0, :, 2], 5.0 * chosen[0])
    assert 0.78 < chosen.float().mean() < 0.82
    # Uniform inside: the mean is the centroid.
    torch.testing.assert_close(points[0][chosen[0] == 1].mean(0), torch.tensor([2 / 3, 2 / 3, 5.0]), atol=0.02, rtol=0)


def test_samples_follow_the_vertices():
    """Moving all vertices moves every sample as much: gradients sum to the number of samples."""
    template = icosphere(2)
    vertices = template.vertices.expand(3, -1, -1).clone().requires_grad_()

    points, _ = sample_surface(vertices, template.faces, 50)
    points.sum().backward()

    assert vertices.grad is not None
    torch.testing.assert_close(vertices.grad.sum((1, 2)), torch.full((3,), 150.0))


def test_a_collapsed_mesh_is_not_an_error():
    """All vertices in one point: samples and normals are finite."""
    template = icosphere(1)

    points, _ = sample_surface(torch.zeros(1, 12, 3), template.faces, 10)
    normals, areas = face_normals(torch.zeros(1, 12, 3), template.faces)

    assert points.isfinite().all()
    assert normals.abs().max() == 0
    assert areas.abs().max() == 0
