"""Nearest neighbours: exact, batched, outside the graph, and suspicious of their input."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genren.errors import InputError
from genren.geometry.nearest import gather_points, nearest, nearest_distances
from genren.geometry.nearest_kernel import all_pairs


def points(*shape: int, seed: int = 0) -> Tensor:
    """Seeded points in the unit cube, (..., 3)."""
    return torch.rand(*shape, 3, generator=torch.Generator().manual_seed(seed)) - 0.5


def nearest_slowly(x: Tensor, y: Tensor) -> Tensor:
    """The definition: every pair, one after the other."""
    index = torch.zeros(x.shape[:2], dtype=torch.long)
    for b in range(len(x)):
        for i, query in enumerate(x[b].double()):
            index[b, i] = min(range(y.shape[1]), key=lambda j: float((query - y[b, j].double()).square().sum()))
    return index


@settings(max_examples=25, deadline=None)
@given(batch=st.integers(1, 4), n=st.integers(1, 9), m=st.integers(1, 9), seed=st.integers(0, 1000))
def test_agrees_with_the_definition(batch: int, n: int, m: int, seed: int) -> None:
    """The kd-tree and the brute-force search both equal the double loop, whatever the sizes."""
    x, y = points(batch, n, seed=seed), points(batch, m, seed=seed + 1)
    expected = nearest_slowly(x, y)

    assert torch.equal(expected, nearest(x, y))
    assert torch.equal(expected, all_pairs(x, y))


def test_a_batch_is_searched_cloud_by_cloud() -> None:
    """No neighbour comes from another item of the batch, and one cloud alone finds the same."""
    x, y = points(3, 50), points(3, 40, seed=1)

    for b in range(3):
        assert torch.equal(nearest(x[b], y[b]), nearest(x, y)[b])


def test_close_points_far_from_the_origin_are_told_apart() -> None:
    """The matrix-product form of the distance rounds here and picks wrong neighbours; neither search may."""
    y = points(1, 200) * 1e-3 + 100
    index = torch.randperm(200, generator=torch.Generator().manual_seed(0))
    x = y[:, index]
    rounded = torch.cdist(x, y, compute_mode="use_mm_for_euclid_dist").argmin(-1)

    assert not torch.equal(x, gather_points(y, rounded))
    assert torch.equal(x, gather_points(y, nearest(x, y)))
    assert torch.equal(x, gather_points(y, all_pairs(x, y)))


def test_distances_have_the_gradient_of_the_distance() -> None:
    """One step from either side along the gradient is the unit vector between a point and its neighbour."""
    x, y = points(2, 6).requires_grad_(), points(2, 5, seed=1).requires_grad_()
    distances = nearest_distances(x, y)
    distances.sum().backward()
    assert x.grad is not None
    assert y.grad is not None
    apart = x - gather_points(y, nearest(x.detach(), y.detach()))

    assert torch.allclose(torch.cdist(x, y).min(-1).values, distances, atol=1e-6)
    assert torch.allclose(apart / apart.norm(dim=-1, keepdim=True), x.grad)
    assert torch.allclose(-x.grad.sum((0, 1)), y.grad.sum((0, 1)), atol=1e-5)


def test_the_kernel_keeps_double_precision() -> None:
    """Two candidates that float32 cannot tell apart are told apart in float64, as the kd-tree does."""
    x = torch.zeros(1, 1, 3, dtype=torch.float64)
    y = torch.tensor([[[1 + 1e-12, 0, 0], [1.0, 0, 0]]], dtype=torch.float64)

    assert nearest(x, y).tolist() == [[1]]
    assert all_pairs(x, y).tolist() == [[1]]


@pytest.mark.gpu
def test_cuda_finds_what_the_cpu_finds() -> None:
    """Both devices pick neighbours at the same distance, and the index stays on the device."""
    x, y = points(2, 3000), points(2, 2000, seed=1)
    index = nearest(x.cuda(), y.cuda())

    assert index.is_cuda
    assert torch.equal(gather_points(y, nearest(x, y)), gather_points(y, index.cpu()))


def test_gradients_flow_through_the_gathered_points_only() -> None:
    """The gradient of the squared distance is 2 (y - x) at each neighbour that was chosen, 0 elsewhere."""
    x, y = points(1, 1), points(1, 5, seed=1).requires_grad_()
    index = nearest(x, y)
    (gather_points(y, index) - x).square().sum().backward()
    assert y.grad is not None
    expected = torch.zeros_like(y)
    expected[0, index[0, 0]] = 2 * (y.detach()[0, index[0, 0]] - x[0, 0])

    assert not index.requires_grad
    assert torch.allclose(expected, y.grad)


def test_duplicates_and_half_precision_are_accepted() -> None:
    """A cloud of one repeated point is searched, and bfloat16 tensors from mixed-precision training too."""
    same = torch.ones(1, 1000, 3)

    assert nearest(same[:, :1], same).shape == (1, 1)
    assert nearest(points(1, 4).bfloat16(), points(1, 4).bfloat16()).tolist() == [[0, 1, 2, 3]]


def test_no_queries_give_no_indices() -> None:
    """An empty query or an empty batch is not an error: there is nothing to find."""
    assert nearest(points(2, 0), points(2, 3)).shape == (2, 0)
    assert nearest(points(0, 4), points(0, 3)).shape == (0, 4)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["x", "y"])
def test_points_that_are_not_finite_are_refused_by_name(name: str, value: float) -> None:
    """A diverged prediction is reported as such, not scored against an arbitrary neighbour."""
    arguments = {"x": points(1, 4), "y": points(1, 4)}
    arguments[name][0, 2, 1] = value

    with pytest.raises(InputError, match=rf"^{name} .*not finite"):
        nearest(**arguments)


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (torch.zeros(2, 4, 2), torch.zeros(2, 4, 3), r"x must be points.*\(2, 4, 2\)"),
        (torch.zeros(3), torch.zeros(4, 3), r"x must be points"),
        (torch.zeros(2, 4, 3), torch.zeros(3, 4, 3), "one size"),
        (torch.zeros(4, 3), torch.zeros(1, 4, 3), "one size"),
        (torch.zeros(1, 4, 3), torch.zeros(1, 0, 3), "y holds no points"),
    ],
)
def test_wrong_shapes_are_refused(x: Tensor, y: Tensor, message: str) -> None:
    """Batches that do not match are refused instead of broadcast."""
    with pytest.raises(InputError, match=message):
        nearest(x, y)
