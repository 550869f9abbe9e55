"""Chamfer distances: the two conventions by their definition, and what each direction means."""

import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genren.errors import InputError
from genren.metrics.chamfer import chamfer_l1, chamfer_l2, surface_distances


def cloud(*shape: int, seed: int) -> Tensor:
    """Seeded points in the unit cube, (..., 3)."""
    return torch.rand(*shape, 3, generator=torch.Generator().manual_seed(seed)) - 0.5


def one_way_slowly(x: Tensor, y: Tensor) -> list[float]:
    """Distance of each x to its nearest y, by the definition: every pair, one after the other."""
    return [min(math.dist(p, q) for q in y.tolist()) for p in x.tolist()]


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 12), m=st.integers(1, 12), seed=st.integers(0, 1000))
def test_agrees_with_the_definition(n: int, m: int, seed: int) -> None:
    """Both numbers equal the double loop: l1 half the sum of plain means, l2 the sum of squared means."""
    predicted, target = cloud(2, n, seed=seed), cloud(2, m, seed=seed + 1)
    distances = surface_distances(predicted, target)

    for b in range(2):
        there, back = one_way_slowly(predicted[b], target[b]), one_way_slowly(target[b], predicted[b])
        l1 = (sum(there) / n + sum(back) / m) / 2
        l2 = sum(d * d for d in there) / n + sum(d * d for d in back) / m

        assert l1 == pytest.approx(float(chamfer_l1(distances)[b]), rel=1e-5)
        assert l2 == pytest.approx(float(chamfer_l2(distances)[b]), rel=1e-5)


def test_two_points_apart_by_a_known_distance() -> None:
    """A closed form that tells the conventions apart: at distance 0.2, l1 is 0.2 (not 0.4), l2 0.08 (not 0.04)."""
    distances = surface_distances(torch.zeros(1, 1, 3), torch.tensor([[[0.0, 0.2, 0.0]]]))

    assert float(chamfer_l1(distances)) == pytest.approx(0.2)
    assert float(chamfer_l2(distances)) == pytest.approx(0.08)


def test_is_zero_for_equal_clouds_in_any_order() -> None:
    """A perfect reconstruction scores exactly 0: neither rounding nor the order of points may show."""
    points = cloud(1, 500, seed=0)
    distances = surface_distances(points, points[:, torch.randperm(500)])

    assert float(chamfer_l1(distances)) == 0.0
    assert float(chamfer_l2(distances)) == 0.0


def test_is_symmetric() -> None:
    """Exchanging prediction and target exchanges the directions and keeps both numbers."""
    a, b = cloud(3, 60, seed=1), cloud(3, 40, seed=2)
    forth, back = surface_distances(a, b), surface_distances(b, a)

    assert torch.equal(forth.accuracy, back.completeness)
    assert torch.equal(chamfer_l1(forth), chamfer_l1(back))
    assert torch.equal(chamfer_l2(forth), chamfer_l2(back))


def test_a_missing_leg_hurts_completeness_only() -> None:
    """Points all on the target, part of the target uncovered: accurate, but incomplete."""
    seat = cloud(1, 400, seed=0) * torch.tensor([1.0, 0.1, 1.0])
    leg = cloud(1, 100, seed=1) * torch.tensor([0.1, 1.0, 0.1]) - torch.tensor([0.0, 0.6, 0.0])
    distances = surface_distances(seat, torch.cat([seat, leg], dim=1))

    assert float(distances.accuracy.max()) == 0.0
    assert float(distances.completeness.mean()) > 0.05


def box_and_tower(seed: int) -> Tensor:
    """Points (1, 4000, 3) on the sides of a low box with a tower off its middle: no turn or mirror keeps it."""
    points = cloud(1, 4000, seed=seed)
    axis = torch.arange(4000) % 3
    points[0, torch.arange(4000), axis] = points[0, torch.arange(4000), axis].sign() / 2
    low, tower = points.split([3000, 1000], dim=1)
    tower = tower * torch.tensor([0.2, 0.6, 0.2]) + torch.tensor([0.35, 0.4, 0.1])
    return torch.cat([low * torch.tensor([0.9, 0.2, 0.4]), tower], dim=1)


@pytest.mark.parametrize(
    "change",
    [
        lambda p: p * 1.2,
        lambda p: p * torch.tensor([-1.0, 1.0, 1.0]),
        lambda p: p[..., [2, 1, 0]],
        lambda p: p + torch.tensor([0.1, 0.0, 0.0]),
    ],
    ids=["scaled", "mirrored", "turned", "moved"],
)
def test_frame_mistakes_are_seen(change: Callable[[Tensor], Tensor]) -> None:
    """A right shape in the wrong frame is worse than resampling the right one, at least twice over."""
    floor = float(chamfer_l1(surface_distances(box_and_tower(0), box_and_tower(1))))

    assert float(chamfer_l1(surface_distances(change(box_and_tower(0)), box_and_tower(1)))) > 2 * floor


def test_the_floor_falls_with_the_samples() -> None:
    """Two samplings of one sphere are apart only by sampling; known values: 0.0270 at 1,000, 0.0089 at 10,000."""

    def sphere(count: int, seed: int) -> Tensor:
        points = torch.randn(1, count, 3, generator=torch.Generator().manual_seed(seed))
        return 0.5 * points / points.norm(dim=-1, keepdim=True)

    for count, floor in ((1_000, 0.0270), (10_000, 0.0089)):
        distances = surface_distances(sphere(count, 0), sphere(count, 1))

        assert float(chamfer_l1(distances)) == pytest.approx(floor, rel=0.05)


def test_a_diverged_prediction_is_refused() -> None:
    """A NaN vertex ends in an error instead of a score."""
    broken = cloud(1, 10, seed=0)
    broken[0, 3] = math.nan

    with pytest.raises(InputError, match="not finite"):
        surface_distances(broken, cloud(1, 10, seed=1))
