"""Reconstruction metrics on a chair of boxes: each sees what it should, in a case where the wrong way round fails."""

import numpy as np
import pytest
import torch

from genren.metrics.emd import emd_exact
from genren.metrics.icp import _about_y, align, kabsch
from genren.metrics.protocols import PIXEL2MESH_SCALE, PROTOCOLS
from genren.metrics.surface import Motion, Surface, compare

# Boxes: low corner, size. Four legs, a seat, a back, and one armrest, so that no turn and no mirror image is the same.
LEGS = [([x, -0.5, z], [0.05, 0.45, 0.05]) for x in (-0.25, 0.2) for z in (-0.25, 0.2)]
SEAT, BACK = ([-0.25, -0.05, -0.25], [0.5, 0.05, 0.5]), ([-0.25, 0, -0.25], [0.5, 0.5, 0.05])
CHAIR = [*LEGS, SEAT, BACK, ([0.2, 0, -0.25], [0.05, 0.2, 0.4])]


def boxes(parts: list, seed: int, count: int = 12000) -> Surface:
    """Samples of the boxes' surfaces by area, as many in all whatever the boxes are."""
    rng = np.random.default_rng(seed)
    faces = [(np.array(low), np.array(size), axis, side) for low, size in parts for axis in range(3) for side in (0, 1)]
    areas = np.array([np.prod(np.delete(size, axis)) for _, size, axis, _ in faces])
    points, normals = np.zeros((count, 3)), np.zeros((count, 3))
    for row, face in enumerate(rng.choice(len(faces), count, p=areas / areas.sum())):
        low, size, axis, side = faces[face]
        points[row] = low + rng.random(3) * size
        points[row, axis] = low[axis] + side * size[axis]
        normals[row, axis] = 2 * side - 1
    return Surface(points, normals, 3000)


def scores(predicted: Surface, target: Surface, motion: Motion | None = None) -> dict[str, float]:
    """The protocol genren of one pair."""
    distances = compare([predicted], [target], None if motion is None else [motion])
    return {name: float(value) for name, value in PROTOCOLS["genren"].scores(distances, torch.ones(1)).items()}


@pytest.fixture(scope="module")
def truth() -> Surface:
    """The whole chair."""
    return boxes(CHAIR, 0)


@pytest.fixture(scope="module")
def right(truth: Surface) -> dict[str, float]:
    """What another sample of the same chair scores: the floor."""
    return scores(boxes(CHAIR, 1), truth)


def test_a_missing_leg_hurts_recall_and_not_precision(truth: Surface, right: dict[str, float]) -> None:
    """Three legs of four: the fourth's share of the surface is not covered, and all that is there is right."""
    found = scores(boxes(CHAIR[1:], 1), truth)

    # A leg is a twentieth of this chair.
    assert found["recall_4e-4"] < right["recall_4e-4"] - 0.03
    assert found["precision_4e-4"] == pytest.approx(right["precision_4e-4"], abs=0.01)
    assert found["chamfer_l1"] > right["chamfer_l1"]


@pytest.mark.parametrize(
    "change",
    [
        lambda p: 1.15 * p,
        lambda p: 0.85 * p,
        lambda p: p * [-1, 1, 1],
        lambda p: p @ _about_y(np.pi).T,
        lambda p: p @ _about_y(0.3).T,
        lambda p: p + np.array([0.06, 0, 0]),
    ],
    ids=["larger", "smaller", "mirrored", "turned around", "turned a little", "moved"],
)
def test_a_changed_chair_is_worse(change, truth: Surface, right: dict[str, float]) -> None:
    """A scaled, mirrored, rotated or shifted prediction never scores as the right one: nothing rescales it first."""
    other = boxes(CHAIR, 1)
    found = scores(Surface(change(other.points), other.normals, other.queries), truth)

    assert found["chamfer_l1"] > 1.3 * right["chamfer_l1"]
    assert found["fscore_1e-4"] < right["fscore_1e-4"] - 0.05


@pytest.mark.parametrize("angle", [0.2, 1.3, np.pi, 4.0])
def test_alignment_forgives_a_turn_and_a_shift(angle: float, truth: Surface, right: dict[str, float]) -> None:
    """From any azimuth the chair is brought back to the floor; that is what `aligned` in a name means."""
    other = boxes(CHAIR, 1)
    moved = Surface(other.points @ _about_y(angle).T + [0.1, 0, 0.05], other.normals @ _about_y(angle).T, other.queries)
    found = scores(moved, truth, align(moved.points, truth.points))

    assert found["chamfer_l1"] == pytest.approx(right["chamfer_l1"], rel=0.15)
    assert found["normal_consistency"] == pytest.approx(right["normal_consistency"], abs=0.03)


def test_alignment_does_not_forgive_scale_and_never_harms(truth: Surface) -> None:
    """A chair 30 % too large stays too large; an alignment is at least as good as none."""
    other = boxes(CHAIR, 1)
    larger = Surface(1.3 * other.points, other.normals, other.queries)
    before, after = scores(larger, truth), scores(larger, truth, align(larger.points, truth.points))

    assert after["chamfer_l1"] <= 1.05 * before["chamfer_l1"]
    assert after["chamfer_l1"] > 0.03


def test_kabsch_recovers_a_motion_and_makes_no_mirror_image() -> None:
    """The exact rotation from exact pairs, and a rotation, not a reflection, where a reflection would fit better."""
    points = np.random.default_rng(0).random((20, 3))
    turned = kabsch(points, points @ _about_y(2.0).T + [1, 2, 3])

    assert np.allclose(_about_y(2.0), turned.rotation)
    assert np.allclose([1, 2, 3], turned.translation)
    assert np.linalg.det(kabsch(points, points * [-1, 1, 1]).rotation) == pytest.approx(1)


def test_protocols_are_units_of_one_measurement(truth: Surface) -> None:
    """UNICORN's number is ten times ours; Pixel2Mesh's is 0.57 times the longest side of its unit, squared."""
    distances = compare([boxes(CHAIR[1:], 1)], [truth])
    side = torch.tensor([0.8])
    ours = PROTOCOLS["genren"].scores(distances, side)
    theirs = PROTOCOLS["pixel2mesh"].scores(distances, side)

    unicorn = PROTOCOLS["unicorn"].scores(distances, side)["chamfer_l1_x10"]
    assert float(unicorn) == pytest.approx(10 * float(ours["chamfer_l1"]))
    factor = (0.8 * PIXEL2MESH_SCALE) ** 2
    assert float(theirs["chamfer_l2_x1000"]) == pytest.approx(factor * float(ours["chamfer_l2_x1000"]))
    # The same threshold is a larger share of a smaller unit.
    assert theirs["fscore_1e-4"] > ours["fscore_1e-4"]


def test_emd_is_the_cheapest_matching() -> None:
    """Exact on a case by hand, where nearest neighbours would use one point twice; and unequal counts are refused."""
    x = np.array([[0.0, 0, 0], [1, 0, 0]])
    y = np.array([[0.9, 0, 0], [3, 0, 0]])

    assert emd_exact(x, y) == pytest.approx((0.9 + 2) / 2)
    # The whole cloud moved: every point has to go there.
    cloud = np.random.default_rng(0).random((50, 3))
    assert emd_exact(cloud + np.array([2, 0, 0]), cloud) == pytest.approx(2, rel=1e-3)
    assert np.isnan(emd_exact(np.full((2, 3), np.nan), y))
    with pytest.raises(ValueError, match="point by point"):
        emd_exact(x, y[:1])
