"""Distribution terms: what they vanish on, what they see, and exact transport in a small case."""

import pytest
import torch
from scipy.optimize import linear_sum_assignment

from genren.geometry.rotations import about
from genren.losses.distribution import pose_match, sinkhorn_divergence, sliced_wasserstein


def half_squared(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Cost matrix |x - y|^2 / 2."""
    return (x[:, None] - y[None]).square().sum(-1) / 2


def test_sliced_wasserstein_is_small_on_gaussians_and_sees_scale_and_shift():
    """Gaussian samples score near zero; shifted or widened ones about their squared distance."""
    gaussian = torch.randn(4000, 8)

    assert sliced_wasserstein(gaussian, 100) < 0.01
    assert sliced_wasserstein(gaussian * 2, 100).item() == pytest.approx(1, rel=0.1)
    assert sliced_wasserstein(gaussian + 2, 200).item() == pytest.approx(4, rel=0.2)


def test_sinkhorn_divergence_vanishes_on_equal_sets():
    """Debiasing makes the divergence of a set from itself zero."""
    x = torch.randn(20, 3)

    value = sinkhorn_divergence(half_squared(x, x), half_squared(x, x), half_squared(x, x), 4.0)

    assert value.abs() < 1e-5


def test_sinkhorn_divergence_approaches_exact_transport():
    """With points far apart beside the blur, the divergence is the optimal assignment's mean cost."""
    x, y = torch.rand(12, 3), torch.rand(12, 3) + 1
    cost = half_squared(x, y)
    rows, columns = linear_sum_assignment(cost.numpy())

    value = sinkhorn_divergence(cost, half_squared(x, x), half_squared(y, y), 4.0)

    assert value.item() == pytest.approx(cost[rows, columns].mean().item(), rel=0.03)


def test_pose_match_pulls_generated_poses_to_the_buffer():
    """Gradient descent on the divergence moves translations towards the remembered ones."""
    rotation = about("y", torch.rand(16) * 6)
    remembered, generated = torch.rand(16, 3), torch.zeros(16, 3).requires_grad_()

    before = pose_match(rotation, remembered, rotation, generated)
    (slope,) = torch.autograd.grad(before, generated)
    after = pose_match(rotation, remembered, rotation, generated - slope)

    assert after < before
    assert (slope.mean(0) < 0).all()
