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
    standard_error: float  # jackknife over groups


def kernel_distance(
    real: Tensor, fake: Tensor, real_groups: Tensor | None = None, fake_groups: Tensor | None = None
) -> KernelDistance:
    """Unbiased MMD^2 over all pairs of real (N, D) and fake (M, D) features, k(x, y) = (x . y / D + 1)^3.

    Views of one model are not independent: with groups (N,) and (M,), the model behind each sample, the jackknife
    leaves out whole models, where single samples would make the error several times too small. The value is the same.
    Raises InputError for fewer than 3 samples or groups a side, features of different widths, and features that are not
    finite.
    """
    real, fake = check_features("real", real, least=3), check_features("fake", fake, least=3)
    if real.shape[1] != fake.shape[1]:
        raise InputError(f"features must be of one width, got {real.shape[1]} and {fake.shape[1]}")
    real_groups, fake_groups = _groups("real", real_groups, len(real)), _groups("fake", fake_groups, len(fake))
    n, m = len(real), len(fake)

    # What each sample adds: to the pairs within its set, without the pair of itself, and to the pairs across.
    within_real = _row_sums(real, real) - _kernel((real * real).sum(1), real.shape[1])
    within_fake = _row_sums(fake, fake) - _kernel((fake * fake).sum(1), fake.shape[1])
    real_to_fake, fake_to_real = _row_sums(real, fake), _row_sums(fake, real)
    sum_real, sum_fake, sum_cross = within_real.sum(), within_fake.sum(), real_to_fake.sum()

    mean_real, mean_fake = sum_real / (n * (n - 1)), sum_fake / (m * (m - 1))
    value = mean_real + mean_fake - 2 * sum_cross / (n * m)

    # Jackknife: the estimate without each group in turn, from the sums above.
    less_real = _without(real, real_groups, within_real, real_to_fake, mean_fake, sum_cross, m)
    less_fake = _without(fake, fake_groups, within_fake, fake_to_real, mean_real, sum_cross, n)
    variance = sum(float((len(less) - 1) * less.var(correction=0)) for less in (less_real, less_fake))
    return KernelDistance(float(value), math.sqrt(variance))


def _without(
    x: Tensor, groups: Tensor, within: Tensor, across: Tensor, mean_other: Tensor, sum_cross: Tensor, others: int
) -> Tensor:
    """The estimate without each group of one side (G,); `within` and `across` (N,) are the row sums of its samples."""
    count = torch.bincount(groups)

    def by_group(values: Tensor) -> Tensor:
        return torch.zeros(len(count), dtype=values.dtype).index_add(0, groups, values)

    # Pairs of two members of the group leave once, though both of their rows hold them.
    inside = []
    for g in range(len(count)):
        members = x[groups == g]
        inside.append(_kernel(members @ members.T, x.shape[1]).sum() - _kernel((members**2).sum(1), x.shape[1]).sum())
    left = len(x) - count
    mean = (within.sum() - 2 * by_group(within) + torch.stack(inside)) / (left * (left - 1))
    return mean + mean_other - 2 * (sum_cross - by_group(across)) / (left * others)


def _groups(name: str, groups: Tensor | None, count: int) -> Tensor:
    """Group of each sample as 0, 1, 2 and so on; each sample its own where none are given."""
    if groups is None:
        return torch.arange(count)
    if groups.shape != (count,):
        raise InputError(f"{name} groups must be ({count},), one a sample, got {tuple(groups.shape)}")
    names, index = groups.unique(return_inverse=True)
    if len(names) < 3:
        raise InputError(f"{name} samples come from {len(names)} groups; at least 3 are needed")
    return index


def _kernel(products: Tensor, width: int) -> Tensor:
    return (products / width + 1) ** 3


def _row_sums(x: Tensor, y: Tensor) -> Tensor:
    """Sum of the kernel of each x with all of y, (N,)."""
    return torch.cat([_kernel(rows @ y.T, x.shape[1]).sum(1) for rows in x.split(CHUNK_ROWS)])
