"""Time of the metrics beside what a user would pick instead, in one run, and that both agree.

Run by `make bench`, or alone: `pytest tests/benchmarks/test_metrics.py --benchmark-only`. Ratios are of medians within
a group; `docs/metrics.md` has the table.
"""

from typing import Any

import numpy as np
import pytest
import scipy.linalg
import torch
from torch import Tensor

from genren.metrics.chamfer import SurfaceDistances, chamfer_l1, surface_distances
from genren.metrics.frechet import frechet_distance, gaussian
from genren.metrics.fscore import fscore

WIDTH = 2048


def features(count: int, seed: int) -> Tensor:
    """Rectified features with a spectrum that falls as a network's does."""
    random = torch.Generator().manual_seed(seed)
    scale = (1 + torch.arange(WIDTH)).double() ** -0.5
    mixing = torch.linalg.qr(torch.randn(WIDTH, WIDTH, generator=torch.Generator().manual_seed(9)).double()).Q
    return (torch.randn(count, WIDTH, generator=random).double() * scale @ mixing + 0.01 * seed).relu()


def ours(real: Tensor, fake: Tensor) -> float:
    """Singular values of centred features."""
    return frechet_distance(gaussian(real), gaussian(fake))


def by_sqrtm(real: Tensor, fake: Tensor) -> float:
    """The way of pytorch-fid and clean-fid: a matrix square root of the product of the covariances."""
    x, y = real.numpy(), fake.numpy()
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    root = scipy.linalg.sqrtm(first @ second).real
    difference = x.mean(0) - y.mean(0)
    return float(difference @ difference + np.trace(first) + np.trace(second) - 2 * np.trace(root))


@pytest.mark.parametrize("count", [500, 3000])
@pytest.mark.parametrize("who", [ours, by_sqrtm], ids=["ours", "sqrtm"])
def test_frechet(benchmark: Any, who: Any, count: int):
    """Fréchet distance of 2,048 features; the square root itself is good to about 1e-4."""
    benchmark.group = f"frechet {count}"
    real, fake = features(count, 0), features(count, 1)
    rounds = 5 if (who, count) == (ours, 500) else 1
    found = benchmark.pedantic(who, (real, fake), rounds=rounds, warmup_rounds=int(rounds > 1))

    assert found == pytest.approx(ours(real, fake), rel=1e-4)


def cdist_distances(predicted: Tensor, target: Tensor) -> SurfaceDistances:
    """All pairs, in the mode that does not round."""
    apart = torch.cdist(predicted, target, compute_mode="donot_use_mm_for_euclid_dist")
    return SurfaceDistances(apart.amin(2), apart.amin(1))


@pytest.mark.parametrize(("batch", "points"), [(64, 1000), (16, 10000)])
@pytest.mark.parametrize("who", [surface_distances, cdist_distances], ids=["ours", "cdist"])
def test_chamfer_and_fscore(benchmark: Any, who: Any, batch: int, points: int):
    """Chamfer and F-score of a batch of pairs of spheres; the same numbers from both."""
    benchmark.group = f"chamfer {batch} x {points}"
    random = torch.Generator().manual_seed(0)
    x, y = (torch.nn.functional.normalize(torch.randn(batch, points, 3, generator=random), dim=-1) / 2 for _ in "xy")
    y *= 0.9

    def run() -> tuple[Tensor, Tensor]:
        distances = who(x, y)
        return chamfer_l1(distances), fscore(distances, 0.06).fscore

    rounds = 1 if (who, points) == (cdist_distances, 10000) else 25
    chamfer, share = benchmark.pedantic(run, rounds=rounds, warmup_rounds=5 if rounds > 1 else 0)
    exact = surface_distances(x[:1], y[:1])

    assert torch.allclose(chamfer[:1], chamfer_l1(exact), rtol=1e-5)
    assert torch.allclose(share[:1], fscore(exact, 0.06).fscore, atol=1e-3)
