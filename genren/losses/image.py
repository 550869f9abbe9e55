"""Terms on images, weighted by the probabilities of the hypotheses they were rendered from (method: 3.1)."""

import torch
from torch import Tensor

from genren.losses.ssim import ms_ssim


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


def feature_distance(image_features: list[Tensor], render_features: list[Tensor], probabilities: Tensor) -> Tensor:
    """Squared difference of features (B, C, h, w) and (B H, C, h, w): sum of channels and layers, mean of pixels.

    For VGG's, whose channels mean something each; the critic's are compared by direction, in `perceptual`.
    """
    total = probabilities.new_zeros(())
    for real, fake in zip(image_features, render_features, strict=True):
        squared = (real[:, None] - fake.unflatten(0, probabilities.shape)).square()
        total = total + (probabilities * squared.sum(2).mean((2, 3))).sum(1).mean()
    return total


def structural(image: Tensor, renders: Tensor, probabilities: Tensor) -> Tensor:
    """1 - MS-SSIM of images (B, 4, S, S) and renders (B, H, 4, S, S), all channels mapped by (x + 1) / 2."""
    pairs = image[:, None].expand_as(renders).flatten(0, 1), renders.flatten(0, 1)
    likeness = ms_ssim(*((x + 1) / 2 for x in pairs)).unflatten(0, probabilities.shape)
    return (probabilities * (1 - likeness)).sum(1).mean()


def _unit(features: Tensor) -> Tensor:
    """Each pixel's feature vector divided by its length."""
    return features / torch.sqrt(features.square().sum(1, keepdim=True).clamp_min(1e-5))
