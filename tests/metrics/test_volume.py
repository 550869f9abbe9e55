"""Volumetric IoU: closed forms of boxes, overlaps that count once, and meshes that have no volume."""

import numpy as np
import pytest

from genren.errors import InputError
from genren.geometry.sphere import icosphere
from genren.metrics.volume import is_watertight, volume_iou

CORNERS = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], dtype=float)
# Two triangles a side, outward.
SIDES = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
FACES = np.array([[a, b, c] for a, b, c, _ in SIDES] + [[a, c, d] for a, _, c, d in SIDES])


def box(low: list[float], size: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """A closed box of twelve outward triangles."""
    return CORNERS * size + low, FACES


def union(*meshes: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Meshes beside or in each other, as one."""
    starts = np.cumsum([0, *(len(vertices) for vertices, _ in meshes)])
    faces = [faces + start for (_, faces), start in zip(meshes, starts, strict=False)]
    return np.concatenate([vertices for vertices, _ in meshes]), np.concatenate(faces)


def test_boxes_have_the_volumes_of_boxes() -> None:
    """Half of a box is half of it; moved by half it is a third; itself is 1; apart is 0."""
    whole = box([-0.5, -0.5, -0.5], [1, 1, 1])

    assert volume_iou(*whole, *whole) == 1
    assert volume_iou(*box([-0.5, -0.5, -0.5], [1, 0.5, 1]), *whole) == pytest.approx(0.5)
    assert volume_iou(*box([0, -0.5, -0.5], [1, 1, 1]), *whole) == pytest.approx(1 / 3)
    assert volume_iou(*box([1, -0.5, -0.5], [1, 1, 1]), *whole) == 0


def test_a_sphere_fills_its_box_by_pi_over_six() -> None:
    """Slanted faces are cut where they are: within two percent of the closed form."""
    ball = icosphere(16, 0.5)
    whole = box([-0.5, -0.5, -0.5], [1, 1, 1])

    assert volume_iou(ball.vertices.numpy(), ball.faces.numpy(), *whole) == pytest.approx(np.pi / 6, rel=0.02)


def test_parts_that_overlap_count_once() -> None:
    """Two boxes in each other are their union: parity of crossings would cut a hole where they meet."""
    both = union(box([-0.5, -0.5, -0.5], [0.6, 1, 1]), box([-0.1, -0.5, -0.5], [0.6, 1, 1]))

    assert is_watertight(*both)
    assert volume_iou(*both, *box([-0.5, -0.5, -0.5], [1, 1, 1])) == pytest.approx(1)


def test_seams_are_closed_and_holes_are_not() -> None:
    """Vertices doubled along a seam still close; a missing, and a turned, face leave a mesh without a volume."""
    vertices, faces = box([0, 0, 0], [1, 1, 1])
    split = vertices[faces].reshape(-1, 3), np.arange(36).reshape(-1, 3)
    turned = faces.copy()
    turned[0] = turned[0, ::-1]

    assert is_watertight(*split)
    assert not is_watertight(vertices, faces[1:])
    assert not is_watertight(vertices, turned)
    assert not is_watertight(vertices, faces[:0])
    with pytest.raises(InputError, match="predicted mesh is not watertight"):
        volume_iou(vertices, faces[1:], vertices, faces)
