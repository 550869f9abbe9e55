"""What the critics minimise (method: 1.6)."""

from collections.abc import Callable

import torch
from torch import Tensor

DRIFT = 0.01
PENALTY = 10.0


def wasserstein(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    """WGAN-GP critic loss: -E C(real) + E C(fake) + 0.01 E C(real)^2 + 10 E (|grad C(mix)| - 1)^2."""
    scores = critic(torch.cat([real, fake]))
    on_real, on_fake = scores[: len(real)], scores[len(real) :]
    return on_fake.mean() - on_real.mean() + DRIFT * on_real.square().mean() + PENALTY * _penalty(critic, real, fake)


def _penalty(critic: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor) -> Tensor:
    share = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device)
    mix = (share * real + (1 - share) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(mix).sum(), mix, create_graph=True)
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
