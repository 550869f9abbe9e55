"""Histograms of a texture's colours, smooth so that gradients pass (method: appendix A, histo_type)."""

import torch
from torch import Tensor

RGB_BINS, UV_BINS = 10, 25
# Rec. 601: chroma U and V of RGB in [0, 1], and their ranges.
CHROMA = ((-0.14713, -0.28886, 0.436), (0.615, -0.51499, -0.10001))
CHROMA_RANGE = (0.436, 0.615)


def color_histogram(image: Tensor, kind: str) -> Tensor:
    """Kernel density of the colours of images (B, 3, S, S) in [0, 1] on a grid of bins, summing to 1: (B, bins).

    'rgb': 10^3 bins; 'uv': 25^2 bins of the chroma of YUV. Gaussian kernels, Silverman's bandwidth per image and axis.
    """
    colors = image.flatten(2).transpose(1, 2)  # (B, n, 3)
    if kind == "uv":
        chroma = colors @ colors.new_tensor(CHROMA).T / colors.new_tensor(CHROMA_RANGE)
        values, bins = (chroma + 1) / 2, UV_BINS
    else:
        values, bins = colors, RGB_BINS
    count, axes = values.shape[1:]
    silverman = (4 / ((axes + 2) * count)) ** (1 / (axes + 4))
    # A flat colour has no spread: a tenth of a bin keeps its kernel drawable.
    bandwidth = (silverman * values.std(1, keepdim=True)).clamp_min(0.1 / bins)
    centers = (torch.arange(bins, device=values.device, dtype=values.dtype) + 0.5) / bins
    kernels = torch.exp(-((values[..., None] - centers) / bandwidth[..., None]).square() / 2)  # (B, n, axes, bins)
    joint = kernels[:, :, 0]
    for axis in range(1, axes - 1):
        joint = (joint[..., None] * kernels[:, :, axis, None]).flatten(2)
    density = (joint.transpose(1, 2) @ kernels[:, :, -1]).flatten(1)
    return density / density.sum(1, keepdim=True).clamp_min(1e-12)


def entropy(histogram: Tensor) -> Tensor:
    """Entropy (B,) in nats of histograms (B, bins)."""
    return -(histogram * histogram.clamp_min(1e-12).log()).sum(1)
