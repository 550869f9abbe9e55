"""Multi-scale structural similarity as a loss (Wang et al., Asilomar 2003; method: 3.5)."""

import torch
from torch import Tensor
from torch.nn import functional as F

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # of the scales, finest first
C1, C2 = 0.01**2, 0.03**2
WINDOW, SIGMA = 4, 1.5


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """MS-SSIM (N,) of images (N, C, S, S) in [0, 1]: Gaussian window of 4 pixels, five scales or as many as fit."""
    if x.shape != y.shape or min(x.shape[2:]) < WINDOW:
        raise ValueError(f"images must be alike and at least {WINDOW} pixels, got {tuple(x.shape)}, {tuple(y.shape)}")
    weights = WEIGHTS[: (min(x.shape[2:]) // WINDOW).bit_length()]
    result = x.new_ones(len(x))
    for scale, weight in enumerate(weights):
        luminance, contrast = _similarity(x, y)
        last = scale == len(weights) - 1
        # Negative contrast has no power: such a patch counts as unlike.
        factor = (luminance * contrast if last else contrast).mean((2, 3)).clamp_min(1e-4)
        result = result * (factor ** (weight / sum(weights))).mean(1)
        if not last:
            x, y = F.avg_pool2d(x, 2), F.avg_pool2d(y, 2)
    return result


def _similarity(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure terms per pixel."""
    position = torch.arange(WINDOW, device=x.device, dtype=x.dtype) - (WINDOW - 1) / 2
    line = (-(position**2) / (2 * SIGMA**2)).exp()
    window = (line[:, None] * line / line.sum() ** 2).expand(x.shape[1], 1, -1, -1)

    def blur(image: Tensor) -> Tensor:
        return F.conv2d(image, window, groups=image.shape[1])

    mean_x, mean_y = blur(x), blur(y)
    variance_x, variance_y = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2
    covariance = blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
    return luminance, (2 * covariance + C2) / (variance_x + variance_y + C2)
