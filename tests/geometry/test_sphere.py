"""The template against the numbers of the method's specification."""

import pytest
import torch

from genren.geometry.sphere import icosphere
from genren.geometry.surface import face_normals


@pytest.mark.parametrize("n", [1, 3, 10])
def test_counts_follow_the_formula(n: int):
    """10 n^2 + 2 vertices, 20 n^2 faces, 30 n^2 edges, each edge shared by two different faces."""
    template = icosphere(n)

    assert template.vertices.shape == (10 * n * n + 2, 3)
    assert template.faces.shape == (20 * n * n, 3)
    assert template.edges.shape == (30 * n * n, 2)
    assert (template.edge_faces[:, 0] != template.edge_faces[:, 1]).all()


def test_edge_lengths_are_the_specified_ones():
    """Mean squared length and range of the 3000 edges are the published template's."""
    template = icosphere(10)
    start, end = template.edges.T
    squared = (template.vertices[start] - template.vertices[end]).square().sum(1)

    assert squared.mean().item() == pytest.approx(0.0145107, abs=1e-7)
    assert squared.min().sqrt().item() == pytest.approx(0.09436, abs=1e-5)
    assert squared.max().sqrt().item() == pytest.approx(0.13193, abs=1e-5)


def test_faces_look_outward_and_poles_are_vertices():
    """Counter-clockwise from outside, unit norm, and a vertex at either pole."""
    template = icosphere(10)
    normals, _ = face_normals(template.vertices[None], template.faces)
    outward = (normals[0] * template.vertices[template.faces].mean(1)).sum(1)

    assert (outward > 0).all()
    assert torch.allclose(template.vertices.norm(dim=1), torch.ones(1002))
    assert template.vertices[:, 1].max() == 1
    assert template.vertices[:, 1].min() == -1


def test_the_seam_is_at_the_back():
    """19 vertices lie on the texture's border |u| = 1, all at x = 0, z < 0."""
    template = icosphere(10)
    seam = template.uv[:, 0].abs() > 1 - 1e-6

    assert seam.sum() == 19
    assert (template.vertices[seam][:, 2] < 0).all()
    assert template.vertices[seam][:, 0].abs().max() < 1e-6


def test_the_north_pole_is_in_the_top_row():
    """Texture rows run from the north pole down, columns with longitude from +z towards +x."""
    template = icosphere(10)

    assert template.uv[template.vertices[:, 1].argmax(), 1] == -1
    assert template.uv[template.vertices[:, 0].argmax(), 0].item() == pytest.approx(0.5, abs=0.05)
