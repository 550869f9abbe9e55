"""What turns images into features: the interface, and an extractor that needs no download.

Random convolutions see blur, noise, lost colour and lost variety, and most of all brightness. Their distances are a
signal inside this benchmark only, never comparable with a published FID, and their names say so.
"""

import math
from itertools import pairwise
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import conv2d

from genren.errors import InputError

CHANNELS = (3, 32, 64, 128)  # of the image and the three layers; 448 features are a mean and a deviation of each
BATCH = 256  # images at once: 50 MB of activations at 64 x 64


class FeatureExtractor(Protocol):
    """Images to features, with the facts that make a distance between features comparable."""

    name: str  # part of the metric's key
    sha256: str | None  # of the weights' file; None where none is read
    resize: str  # how images reach the network's input size
    distances: tuple[str, str]  # names of the Fréchet and the kernel distance; `fid` and `kid` are Inception's alone

    def __call__(self, images: Tensor) -> Tensor:
        """Images (N, 3, H, W) uint8 RGB to features (N, D) float32."""
        ...


def check_images(images: Tensor) -> None:
    """InputError unless images are a non-empty uint8 RGB batch (N, 3, H, W)."""
    if images.dim() != 4 or images.shape[1] != 3 or images.dtype != torch.uint8 or images.numel() == 0:
        raise InputError(f"images must be uint8 (N, 3, H, W), got {images.dtype} {tuple(images.shape)}")


class RandomConvExtractor:
    """Three seeded 3 x 3 convolutions of stride 2, He-initialised, ReLU; per layer the mean and deviation of a channel.

    Runs on the CPU wherever the images are, so that a number does not depend on the accelerator.
    """

    sha256: str | None = None
    resize = "none"
    distances = ("fd", "kd")

    def __init__(self, seed: int = 0) -> None:
        # NumPy's stream, not torch's: it is the same in every version and on every kind of processor.
        random = np.random.default_rng(seed)
        self.weights = [
            torch.from_numpy(random.standard_normal((out, into, 3, 3)) * math.sqrt(2 / (9 * into))).float()
            for into, out in pairwise(CHANNELS)
        ]
        self.name = f"randconv{2 * sum(CHANNELS[1:])}_seed{seed}"

    def __call__(self, images: Tensor) -> Tensor:
        """Features (N, 448) float32 of images (N, 3, H, W), uint8 RGB, N and the sides at least 1."""
        check_images(images)
        with torch.no_grad():
            return torch.cat([self._features(batch.cpu().float() / 255) for batch in images.split(BATCH)])

    def _features(self, x: Tensor) -> Tensor:
        """Features (B, 448) of one batch in [0, 1]."""
        features = []
        for weight in self.weights:
            x = conv2d(x, weight, stride=2, padding=1).relu()
            deviation, mean = torch.std_mean(x, dim=(2, 3), correction=0)
            features += [mean, deviation]
        return torch.cat(features, dim=1)
