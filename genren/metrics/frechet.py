"""Fréchet distance between the Gaussians fitted to two sets of features, exact in float64.

    FD = |m1 - m2|^2 + tr C1 + tr C2 - 2 tr (C1 C2)^(1/2)

With roots A of the covariances, C = A^T A, the last trace is the nuclear norm of A1 A2^T, the sum of its singular
values. So no D x D matrix is formed when there are fewer samples than features, no matrix square root is taken, and
a singular covariance needs no jitter. The value falls with the number of samples: compare equal counts only.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.features import check_features


@dataclass(frozen=True)
class Gaussian:
    """Mean and covariance of a set of features."""

    mean: Tensor  # (D,) float64
    root: Tensor  # (min(N, D), D) float64, root.T @ root is the unbiased covariance


def gaussian(features: Tensor) -> Gaussian:
    """Fit a Gaussian to features (N, D), N at least 2."""
    features = check_features("the", features, least=2)
    mean = features.mean(0)
    root = (features - mean) / (len(features) - 1) ** 0.5
    # More samples than features: the triangular factor has the same covariance in D rows.
    if len(root) > root.shape[1]:
        root = torch.linalg.qr(root, mode="r").R
    return Gaussian(mean, root)


def frechet_distance(real: Gaussian, fake: Gaussian) -> float:
    """Fréchet distance of two Gaussians over the same features: 0 for equal ones, symmetric, without upper bound."""
    if real.mean.shape != fake.mean.shape:
        raise InputError(f"features must be of one width, got {len(real.mean)} and {len(fake.mean)}")
    cross = torch.linalg.svdvals(real.root @ fake.root.T).sum()
    distance = (real.mean - fake.mean).square().sum()
    distance += real.root.square().sum() + fake.root.square().sum() - 2 * cross
    # Rounding can leave equal Gaussians a hair below zero.
    return max(0.0, float(distance))
