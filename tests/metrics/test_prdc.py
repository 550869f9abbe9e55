"""Precision, recall, density, coverage: the reference's formulas, and what collapse and junk do to each."""

import numpy as np
import pytest
import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.prdc import prdc


def normal(count: int, seed: int, width: int = 8) -> Tensor:
    """Seeded standard normal features."""
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


def prdc_slowly(real: np.ndarray, fake: np.ndarray, k: int) -> tuple[float, float, float, float]:
    """The four formulas of Naeem et al. (2020), Eq. 1 to 4, sample by sample."""

    def radius(samples: np.ndarray) -> list[float]:
        return [sorted(np.linalg.norm(samples - s, axis=1))[k] for s in samples]

    real_radius, fake_radius = radius(real), radius(fake)
    apart = [[float(np.linalg.norm(x - y)) for y in fake] for x in real]
    n, m = len(real), len(fake)
    precision = sum(any(apart[i][j] < real_radius[i] for i in range(n)) for j in range(m)) / m
    recall = sum(any(apart[i][j] < fake_radius[j] for j in range(m)) for i in range(n)) / n
    density = sum(apart[i][j] < real_radius[i] for i in range(n) for j in range(m)) / (k * m)
    coverage = sum(any(apart[i][j] < real_radius[i] for j in range(m)) for i in range(n)) / n
    return precision, recall, density, coverage


@pytest.mark.parametrize("k", [1, 3, 5])
def test_agrees_with_the_reference_formulas(k: int) -> None:
    """All four on unequal counts, for several k."""
    real, fake = normal(40, 0), normal(30, 1) * 1.2 + 0.3
    expected = prdc_slowly(real.double().numpy(), fake.double().numpy(), k)
    found = prdc(real, fake, k)

    assert expected == pytest.approx((found.precision, found.recall, found.density, found.coverage), rel=1e-6)


def test_mode_collapse_lowers_recall_and_not_precision() -> None:
    """Copies near one real sample are all real enough, and leave most of what is real unmade."""
    real = normal(200, 0)
    collapsed = real[:1] + 0.01 * normal(200, 1)
    found, sound = prdc(real, collapsed), prdc(real, normal(200, 2))

    assert found.precision == 1.0
    assert found.recall < 0.05
    assert sound.recall > 0.5
    assert found.coverage < 0.1 < sound.coverage


def test_junk_lowers_precision_and_density_and_not_coverage() -> None:
    """Half of the fakes far away: precision and density halve, the other half still covers what it covered."""
    real, good = normal(200, 0), normal(200, 2)
    junk = torch.cat([good, normal(200, 3) + 50])
    found, sound = prdc(real, junk), prdc(real, good)

    assert found.precision == pytest.approx(sound.precision / 2)
    assert found.density == pytest.approx(sound.density / 2)
    assert found.coverage == sound.coverage


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (normal(5, 0), normal(9, 1), "real features hold 5 samples; at least 6"),
        (normal(9, 0), normal(9, 1, 4), "one width, got 8 and 4"),
        (normal(9, 0), normal(9, 1) * torch.nan, "fake features are not finite"),
    ],
)
def test_bad_features_are_refused(real: Tensor, fake: Tensor, message: str) -> None:
    """Too few for k neighbours, two extractors, and features that are not numbers."""
    with pytest.raises(InputError, match=message):
        prdc(real, fake)
