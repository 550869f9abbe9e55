"""Random poses and textures of the domain-randomised cycle (method: 1.4)."""

from math import radians

import torch
from torch import Tensor
from torch.nn import functional as F

from genren.engine import ranks
from genren.geometry.rotations import view
from genren.models.parts import Pose
from genren.params import RandomisedParams


def random_pose(batch: int, ranges: RandomisedParams, device: torch.device | str = "cpu") -> Pose:
    """Poses of one hypothesis: R = Rx(elevation) Ry(azimuth), uniform in angles and translation."""
    batch = ranks.count() * batch
    elevation, azimuth = (
        torch.empty(batch, device=device).uniform_(radians(low), radians(high))
        for low, high in (ranges.elevation, ranges.azimuth)
    )
    axes = zip(ranges.translation_min, ranges.translation_max, strict=True)
    translation = torch.stack([torch.empty(batch, device=device).uniform_(low, high) for low, high in axes], dim=1)
    return Pose(ranks.own(view(azimuth, elevation)[:, None]), ranks.own(translation[:, None]))


def random_colors(template: Tensor, pool: Tensor, batch: int) -> Tensor:
    """Two-colour vertex textures (B, V, 3): a random plane through a template vertex parts them."""
    batch, device = ranks.count() * batch, pool.device
    if len(pool) >= 2 * batch:
        chosen = pool[torch.randperm(len(pool), device=device)[: 2 * batch]]
    else:
        chosen = pool[torch.randint(len(pool), (2 * batch,), device=device)]
    base, other = chosen[:batch, None], chosen[batch:, None]
    through = template[torch.randint(len(template), (batch,), device=device)]
    normal = F.normalize(torch.randn(batch, 3, device=device), dim=1)
    side = ((template[None] - through[:, None]) * normal[:, None]).sum(-1, keepdim=True) > 0
    colors = torch.where(side, other, base)
    return ranks.own((colors + 0.01 * torch.randn_like(colors)).clamp(0.001, 0.999))
