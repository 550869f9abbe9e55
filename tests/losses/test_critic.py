"""The critics' objective."""

import pytest
import torch

from genren.losses.critic import wasserstein


def test_objective_of_a_linear_critic_is_known():
    """For C(x) = s sum(x) every part has a closed form: gap, drift, and a slope of s sqrt(d)."""
    real, fake = torch.ones(6, 4), torch.zeros(6, 4)
    for s in (0.5, 2.0):
        expected = -4 * s + 0.01 * (4 * s) ** 2 + 10 * (2 * s - 1) ** 2

        assert wasserstein(lambda x, s=s: s * x.sum(1), real, fake).item() == pytest.approx(expected)
