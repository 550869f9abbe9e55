"""Terms on images, weighted by the probabilities of the hypotheses they were rendered from (method: 3.1)."""

import torch
from torch import Tensor


def image_l1(image: Tensor, renders: Tensor, probabilities: Tensor) -> Tensor:
    """Difference of images (B, 4, S, S) and renders (B, H, 4, S, S), summed over channels, mean over pixels."""
    distance = (image[:, None] - renders).abs().mean((3, 4)).sum(2)
    return (probabilities * distance).sum(1).mean()


def perceptual(image_features: list[Tensor], render_features: list[Tensor], probabilities: Tensor) -> Tensor:
    """Distance of channel-normalised critic features of images (B, C, h, w) and renders (B H, C, h, w), over layers."""
    total = probabilities.new_zeros(())
    for real, fake in zip(image_features, render_features, strict=True):
        difference = _unit(real)[:, None] - _unit(fake).unflatten(0, probabilities.shape)
        total = total + (probabilities * difference.abs().mean((2, 3, 4))).sum(1).mean()
    return total


def _unit(features: Tensor) -> Tensor:
    """Each pixel's feature vector divided by its length."""
    return features / torch.sqrt(features.square().sum(1, keepdim=True).clamp_min(1e-5))
