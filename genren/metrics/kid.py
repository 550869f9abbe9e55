"""Kernel distance (KID when the features are Inception's): squared maximum mean discrepancy, cubic polynomial kernel.

Unbiased at every sample size, unlike the Fréchet distance, so near 0 for equal distributions and sometimes below.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.features import check_features

# Rows of a kernel matrix held at once: 100,000 samples need 0.8 GB of float64.
CHUNK_ROWS = 1024


@dataclass(frozen=True)
class KernelDistance:
    """An estimate and how far chance may have moved it."""

    value: float
    standard_error: float  # jackknife; takes samples as independent, so too small for many views of few models


def kernel_distance(real: Tensor, fake: Tensor) -> KernelDistance:
    """Unbiased MMD^2 over all pairs of real (N, D) and fake (M, D) features, k(x, y) = (x . y / D + 1)^3.

    Raises InputError for fewer than 3 samples a side, features of different widths, and features that are not finite.
    """
    real, fake = check_features("real", real, least=3), check_features("fake", fake, least=3)
    if real.shape[1] != fake.shape[1]:
        raise InputError(f"features must be of one width, got {real.shape[1]} and {fake.shape[1]}")
    n, m = len(real), len(fake)

    # What each sample adds: to the pairs within its set, without the pair of itself, and to the pairs across.
    within_real = _row_sums(real, real) - _kernel((real * real).sum(1), real.shape[1])
    within_fake = _row_sums(fake, fake) - _kernel((fake * fake).sum(1), fake.shape[1])
    real_to_fake, fake_to_real = _row_sums(real, fake), _row_sums(fake, real)
    sum_real, sum_fake, sum_cross = within_real.sum(), within_fake.sum(), real_to_fake.sum()

    mean_real, mean_fake = sum_real / (n * (n - 1)), sum_fake / (m * (m - 1))
    value = mean_real + mean_fake - 2 * sum_cross / (n * m)

    # Jackknife: the estimate without each sample in turn, from the sums above.
    less_real = (sum_real - 2 * within_real) / ((n - 1) * (n - 2))
    less_real = less_real + mean_fake - 2 * (sum_cross - real_to_fake) / ((n - 1) * m)
    less_fake = (sum_fake - 2 * within_fake) / ((m - 1) * (m - 2))
    less_fake = less_fake + mean_real - 2 * (sum_cross - fake_to_real) / (n * (m - 1))
    variance = (n - 1) * less_real.var(correction=0) + (m - 1) * less_fake.var(correction=0)
    return KernelDistance(float(value), math.sqrt(float(variance)))


def _kernel(products: Tensor, width: int) -> Tensor:
    return (products / width + 1) ** 3


def _row_sums(x: Tensor, y: Tensor) -> Tensor:
    """Sum of the kernel of each x with all of y, (N,)."""
    return torch.cat([_kernel(rows @ y.T, x.shape[1]).sum(1) for rows in x.split(CHUNK_ROWS)])
