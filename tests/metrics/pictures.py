"""Made-up renders for the tests of feature distances: striped boxes of a few hues on black."""

import torch
from torch import Tensor


def renders(count: int, seed: int, hues: int = 8) -> Tensor:
    """Renders (count, 3, 64, 64) uint8 with every hue equally likely; fewer hues drop modes, all else is equal."""
    random = torch.Generator().manual_seed(seed)

    def uniform(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=random)

    y, x = torch.meshgrid(torch.linspace(-1, 1, 64), torch.linspace(-1, 1, 64), indexing="ij")
    hue = torch.randint(0, hues, (count,), generator=random) * (2 * torch.pi / 8)
    color = 0.35 + 0.35 * torch.stack([torch.cos(hue + phase) for phase in (0.0, 2.1, 4.2)], dim=1)
    color = color + 0.3 * uniform(count, 3)
    inside = (x.abs() < 0.3 + 0.4 * uniform(count, 1, 1)) & (y.abs() < 0.3 + 0.4 * uniform(count, 1, 1))
    stripes = 0.6 + 0.4 * torch.sin(x * 20 * uniform(count, 1, 1) + y * 30 * uniform(count, 1, 1))
    return ((inside * stripes)[:, None] * color[:, :, None, None] * 255).byte()


def blurred(images: Tensor, size: int) -> Tensor:
    """Images (N, 3, H, W) uint8 averaged over size x size pixels."""
    return torch.nn.functional.avg_pool2d(images.float(), size, stride=1, padding=size // 2).round().byte()
