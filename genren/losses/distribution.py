"""Terms that match distributions: sliced Wasserstein to a Gaussian, Sinkhorn divergence of poses (method: 1.6)."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from genren.engine import ranks
from genren.geometry.rotations import geodesic

BLUR = 0.05  # final temperature is its square
ROTATION_DIAMETER = 3.141
TRANSLATION_DIAMETER = 2.0


def sliced_wasserstein(x: Tensor, projections: int) -> Tensor:
    """Squared sliced 2-Wasserstein distance of n samples (n, d) to as many from N(0, I), over random directions."""
    x = ranks.gather(x)
    directions = F.normalize(torch.randn(x.shape[1], projections, device=x.device, dtype=x.dtype), dim=0)
    prior = torch.randn_like(x)
    return ((x @ directions).sort(dim=0).values - (prior @ directions).sort(dim=0).values).square().mean()


def kl_to_normal(mean: Tensor, log_variance: Tensor) -> Tensor:
    """KL divergence of N(mean, exp(log_variance)) from N(0, I), summed over batch and dims (method: appendix A)."""
    return (mean.square() + log_variance.exp() - 1 - log_variance).sum() / 2 * ranks.count()


def joint_pose_match(
    rotations: Tensor, translations: Tensor, other_rotations: Tensor, other_translations: Tensor
) -> Tensor:
    """Sinkhorn divergence between sets of poses as pairs: the cost of a pair is d_R + pi |dt|^2 / 2."""
    one, other = (rotations, translations), (other_rotations, other_translations)

    def cost(a: tuple[Tensor, Tensor], b: tuple[Tensor, Tensor]) -> Tensor:
        return geodesic(a[0][:, None], b[0][None]) + math.pi * _half_squared(a[1], b[1])

    return sinkhorn_divergence(cost(one, other), cost(one, one), cost(other, other), ROTATION_DIAMETER)


def pose_match(rotations: Tensor, translations: Tensor, other_rotations: Tensor, other_translations: Tensor) -> Tensor:
    """S_R + pi S_t: Sinkhorn divergences between two sets of poses, (n, 3, 3), (n, 3) and (m, 3, 3), (m, 3)."""
    rotation = sinkhorn_divergence(
        geodesic(rotations[:, None], other_rotations[None]),
        geodesic(rotations[:, None], rotations[None]),
        geodesic(other_rotations[:, None], other_rotations[None]),
        ROTATION_DIAMETER,
    )
    translation = sinkhorn_divergence(
        _half_squared(translations, other_translations),
        _half_squared(translations, translations),
        _half_squared(other_translations, other_translations),
        TRANSLATION_DIAMETER,
    )
    return rotation + math.pi * translation


def sinkhorn_divergence(between: Tensor, within: Tensor, within_other: Tensor, diameter: float) -> Tensor:
    """Debiased entropic optimal transport between uniform sets of n and m items, from their cost matrices.

    Arguments are the costs between the sets (n, m), within the first (n, n) and within the second (m, m). Symmetric
    log-domain iterations anneal the temperature from diameter^2 by factors of 1/4 to BLUR^2; gradients flow through a
    last one at fixed potentials (Feydy et al., AISTATS 2019).
    """
    temperatures = [diameter**2]
    while temperatures[-1] / 4 > BLUR**2:
        temperatures.append(temperatures[-1] / 4)
    temperatures.append(BLUR**2)
    log_n, log_m = -math.log(between.shape[0]), -math.log(between.shape[1])
    with torch.no_grad():
        first = temperatures[0]
        f, g = _soft_minimum(first, between, log_m), _soft_minimum(first, between.T, log_n)
        f_self, g_self = _soft_minimum(first, within, log_n), _soft_minimum(first, within_other, log_m)
        for t in temperatures:
            f, g = (
                (f + _soft_minimum(t, between, log_m + g / t)) / 2,
                (g + _soft_minimum(t, between.T, log_n + f / t)) / 2,
            )
            f_self = (f_self + _soft_minimum(t, within, log_n + f_self / t)) / 2
            g_self = (g_self + _soft_minimum(t, within_other, log_m + g_self / t)) / 2
    t = temperatures[-1]
    f, g = _soft_minimum(t, between, log_m + g / t), _soft_minimum(t, between.T, log_n + f / t)
    f_self = _soft_minimum(t, within, log_n + f_self / t)
    g_self = _soft_minimum(t, within_other, log_m + g_self / t)
    return (f - f_self).mean() + (g - g_self).mean()


def _soft_minimum(temperature: float, cost: Tensor, log_weights: Tensor | float) -> Tensor:
    """Smoothed minimum over columns: -t logsumexp(log_weights - cost / t)."""
    return -temperature * (log_weights - cost / temperature).logsumexp(dim=1)


def _half_squared(x: Tensor, y: Tensor) -> Tensor:
    return (x[:, None] - y[None]).square().sum(-1) / 2
