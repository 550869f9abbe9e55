"""What critics and their generators minimise (method: 1.6). A critic's `objective` says which game it plays."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from genren.engine import ranks
from genren.engine.precision import exact

DRIFT = 0.01
PENALTY = 10.0


def critic_loss(critic: nn.Module, real: Tensor, fake: Tensor) -> Tensor:
    """What a critic minimises, by its objective."""
    game = {"wasserstein": wasserstein, "least_squares": least_squares}[str(critic.objective)]
    return game(critic, real, fake)


def generator_loss(critic: nn.Module, fake: Tensor) -> Tensor:
    """What the generator of `fake` minimises: -E C, or E (C - 1)^2."""
    scores = critic(fake)
    return -scores.mean() if critic.objective == "wasserstein" else (scores - 1).square().mean()


def wasserstein(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP critic loss: -E C(real) + E C(fake) + 0.01 E C(real)^2 + 10 E (|grad C(mix)| - 1)^2."""
    scores = critic(torch.cat([real, fake]))
    on_real, on_fake = scores[: len(real)], scores[len(real) :]
    return on_fake.mean() - on_real.mean() + DRIFT * on_real.square().mean() + PENALTY * _penalty(critic, real, fake)


def least_squares(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """LSGAN critic loss: E (C(real) - 1)^2 + E C(fake)^2 (Mao et al., ICCV 2017)."""
    return (critic(real) - 1).square().mean() + critic(fake).square().mean()


def _penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    share = ranks.draw(torch.rand, len(real), *[1] * (real.ndim - 1), device=real.device)
    mix = (share * real + (1 - share) * fake).detach().requires_grad_()
    with exact():
        (slope,) = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
