"""The template of airplanes: what it is, and that its command makes it."""

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from genren.geometry.airplane import FIN_LEFT, SCALE, UPPER, airplane, obj, unwrapped
from genren.geometry.template import find_template, load_template
from genren.params import PRESETS

Mesh = tuple[np.ndarray, np.ndarray, np.ndarray]


@pytest.fixture(scope="module")
def mesh() -> Mesh:
    """Vertices, faces and charts."""
    return airplane()


def test_the_command_makes_the_file_that_is_kept():
    """Anyone can make it again, byte by byte."""
    assert (PRESETS / "airplane.obj").read_text() == obj()


def test_it_is_a_closed_mesh_without_handles(mesh: Mesh):
    """About a thousand vertices, a manifold (or it would not load), Euler characteristic 2."""
    template = load_template(find_template("airplane.obj"), 1.0, projected=False)

    assert 950 < len(template.vertices) < 1100
    assert len(template.vertices) - len(template.edges) + len(template.faces) == 2
    assert np.abs(template.vertices.numpy() - mesh[0]).max() < 1e-5


def test_it_looks_like_an_airplane(mesh: Mesh):
    """Wings as wide as it is long, a fin at the back, nothing tall in front; left and right alike."""
    vertices, _, _ = mesh
    span, height, length = np.ptp(vertices, axis=0)
    tip, top = vertices[vertices[:, 0].argmax()], vertices[vertices[:, 1].argmax()]

    assert max(span, length) == pytest.approx(1)
    assert min(span, length) > 0.8
    assert 0.2 < height < 0.5
    assert top[2] < -0.35
    assert abs(tip[2]) < 0.25
    assert abs(tip[1]) < 0.1
    mirrored = vertices * [-1, 1, 1]
    assert np.abs(vertices[:, None] - mirrored[None]).sum(2).min(1).max() < 1e-9


def test_on_a_sphere_little_of_it_folds(mesh: Mesh):
    """Projected from its origin, as preset `original` does, 93 % of the faces still look outwards."""
    vertices, faces, _ = mesh
    a, b, c = (vertices[faces[:, i]] / np.linalg.norm(vertices[faces[:, i]], axis=1, keepdims=True) for i in range(3))

    assert ((a * np.cross(b, c)).sum(1) > 0).mean() > 0.925


def test_its_charts_keep_lengths(mesh: Mesh):
    """Nine faces of ten are stretched by less than a tenth in any direction, and none is turned over."""
    vertices, faces, chart = mesh
    coordinates, indices = unwrapped(vertices, faces, chart)
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    along = (b - a) / np.linalg.norm(b - a, axis=1, keepdims=True)
    across = np.cross(np.cross(b - a, c - a), along)
    across /= np.linalg.norm(across, axis=1, keepdims=True)
    plane = [np.stack([(p * along).sum(1), (p * across).sum(1)], axis=1) for p in (b - a, c - a)]
    corners = coordinates[indices]
    maps = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=-1) / SCALE
    stretch = np.linalg.svd(maps @ np.linalg.inv(np.stack(plane, axis=-1)), compute_uv=False)
    turned = np.linalg.det(maps) <= 0

    assert not turned.any()
    assert np.quantile(np.abs(np.log(stretch)).max(1), 0.9) < np.log(1.1)


def test_its_charts_do_not_overlap(mesh: Mesh):
    """No texel of a fine image is in two faces, and the four charts are two texels of 64 apart."""
    coordinates, indices = unwrapped(*mesh)
    size = 512
    centers = (np.arange(size) + 0.5) / size
    owners, charts = np.zeros((size, size), dtype=int), np.full((size, size), -1)
    for corners, chart in zip(coordinates[indices], mesh[2], strict=True):
        low, high = np.floor(corners.min(0) * size).astype(int), np.ceil(corners.max(0) * size).astype(int)
        rows, columns = slice(low[1], high[1]), slice(low[0], high[0])
        points = np.stack(np.meshgrid(centers[columns], centers[rows]), axis=-1)
        inside = np.ones(points.shape[:2], dtype=bool)
        for start, end in zip(corners, np.roll(corners, -1, axis=0), strict=True):
            edge, to = end - start, points - start
            inside &= edge[0] * to[..., 1] - edge[1] * to[..., 0] > 0
        owners[rows, columns] += inside
        charts[rows, columns][inside] = chart

    assert coordinates.min() > 0
    assert coordinates.max() < 1
    assert owners.max() == 1
    assert (owners == 1).mean() > 0.3
    for chart in range(UPPER, FIN_LEFT + 1):
        distance = distance_transform_edt(charts != chart) / size
        assert distance[(charts >= 0) & (charts != chart)].min() > 2 / 64
