"""Structural similarity of a re-render and its image (Wang et al. 2004): Gaussian windows, no padding."""

import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.silhouette import check_pair

WINDOW, SIGMA = 11, 1.5  # pixels
C1, C2 = 0.01**2, 0.03**2  # of a range of 1


def ssim(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean SSIM (B,) of the RGB of images (B, 3 or 4, H, W) in [0, 1] over black, background included; 1 is best.

    Channels are compared one by one and averaged, over all windows that lie inside the image: sides of at least 11.
    """
    check_pair(predicted, target)
    if min(predicted.shape[-2:]) < WINDOW:
        raise InputError(f"SSIM needs images of at least {WINDOW} pixels, got {tuple(predicted.shape[-2:])}")
    x, y = predicted[:, :3].double(), target[:, :3].double()
    mean_x, mean_y = _blur(x), _blur(y)
    variance_x, variance_y = _blur(x * x) - mean_x**2, _blur(y * y) - mean_y**2
    covariance = _blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    structure = (2 * covariance + C2) / (variance_x + variance_y + C2)
    return (luminance * structure).mean((1, 2, 3))


def _blur(images: Tensor) -> Tensor:
    """Gaussian means of the windows inside images (B, C, H, W), one axis at a time."""
    # As products with banded matrices, which are several times as fast as a convolution a channel.
    height, width = (_bands(side, images.dtype) for side in images.shape[-2:])
    return height @ images @ width.T


def _bands(side: int, dtype: torch.dtype) -> Tensor:
    """Weights of every window along one axis (side - 10, side)."""
    offset = torch.arange(side, dtype=dtype) - torch.arange(side - WINDOW + 1, dtype=dtype)[:, None]
    weights = torch.exp(-(offset - (WINDOW - 1) / 2).square() / (2 * SIGMA**2))
    weights = torch.where((offset >= 0) & (offset < WINDOW), weights, 0.0)
    return weights / weights.sum(1, keepdim=True)
