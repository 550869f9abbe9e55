"""The critics' objective."""

import pytest
import torch

from genren.losses.critic import critic_loss, generator_loss, wasserstein


def test_objective_of_a_linear_critic_is_known():
    """For C(x) = s sum(x) every part has a closed form: gap, drift, and a slope of s sqrt(d)."""
    real, fake = torch.ones(6, 4), torch.zeros(6, 4)
    for s in (0.5, 2.0):
        expected = -4 * s + 0.01 * (4 * s) ** 2 + 10 * (2 * s - 1) ** 2

        assert wasserstein(lambda x, s=s: s * x.sum(1), real, fake).item() == pytest.approx(expected)


class Sum(torch.nn.Module):
    """A critic that adds up what it sees."""

    def __init__(self, objective: str) -> None:
        super().__init__()
        self.objective = objective

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(B, D) to (B,)."""
        return x.sum(1)


def test_a_critic_plays_the_game_it_names():
    """Least squares wants 1 for real and 0 for fake, its generator 1; Wasserstein's generator wants a high score."""
    real, fake = torch.full((3, 2), 0.25), torch.full((3, 2), 1.0)

    assert critic_loss(Sum("least_squares"), real, fake).item() == pytest.approx((0.5 - 1) ** 2 + 2**2)
    assert generator_loss(Sum("least_squares"), fake).item() == pytest.approx((2 - 1) ** 2)
    assert generator_loss(Sum("wasserstein"), fake).item() == pytest.approx(-2)
    assert critic_loss(Sum("wasserstein"), real, fake) == wasserstein(Sum("wasserstein"), real, fake)
