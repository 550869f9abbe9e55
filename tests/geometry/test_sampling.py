"""Points on a surface."""

import numpy as np
import pytest

from genren.errors import InputError
from genren.geometry.sampling import sample_surface

# A triangle of area 1/2 in the plane z = 0, one of area 2 in the plane x = 5, and one without area.
VERTICES = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [5, 0, 0], [5, 2, 0], [5, 0, 2], [9, 9, 9]], dtype=float)
FACES = np.array([[0, 1, 2], [6, 6, 6], [3, 4, 5], [6, 6, 6]])


def test_points_are_uniform_by_area() -> None:
    """Triangles get points by area, none without area any, and within one the mean is its centroid."""
    points, normals, faces = sample_surface(VERTICES, FACES, 20000, np.random.default_rng(0))

    assert {0, 2} == set(faces)
    assert (faces == 2).mean() == pytest.approx(0.8, abs=0.01)
    for face in (0, 2):
        np.testing.assert_allclose(points[faces == face].mean(0), VERTICES[FACES[face]].mean(0), atol=0.02)
    np.testing.assert_allclose(normals[faces == 0], [[0, 0, 1]] * (faces == 0).sum())
    np.testing.assert_allclose(normals[faces == 2], [[1, 0, 0]] * (faces == 2).sum())


def test_points_fill_a_triangle_evenly() -> None:
    """A quarter of the points lies in the quarter at each corner: forgetting the square root crowds the first."""
    points, _, faces = sample_surface(VERTICES, FACES, 20000, np.random.default_rng(1))
    x, y = points[faces == 0, 0], points[faces == 0, 1]

    for corner in (x + y < 0.5, x > 0.5, y > 0.5):
        assert corner.mean() == pytest.approx(0.25, abs=0.02)


def test_the_generator_decides() -> None:
    """Equal generators give equal points, different ones different points."""
    first, again, other = (sample_surface(VERTICES, FACES, 5, np.random.default_rng(seed))[0] for seed in (0, 0, 1))

    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("faces", [FACES[1:2], FACES[:0]])
def test_nothing_to_sample_is_an_error(faces: np.ndarray) -> None:
    """Faces without area, and no faces, are refused."""
    with pytest.raises(InputError, match="no surface to sample"):
        sample_surface(VERTICES, faces, 5, np.random.default_rng(0))
