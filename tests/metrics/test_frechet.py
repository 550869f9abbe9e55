"""Fréchet distance: closed forms, an independent matrix square root, and inputs it refuses."""

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genren.errors import InputError
from genren.metrics.frechet import Gaussian, frechet_distance, gaussian


def features(count: int, width: int, seed: int, scale: float = 1.0) -> Tensor:
    """Seeded, correlated features (count, width)."""
    random = torch.Generator().manual_seed(seed)
    mixing = torch.randn(width, width, generator=random) * scale
    return torch.randn(count, width, generator=random) @ mixing + torch.randn(width, generator=random)


def frechet_slowly(real: Tensor, fake: Tensor) -> float:
    """The formula with covariance matrices and symmetric square roots, in NumPy."""

    def root(matrix: np.ndarray) -> np.ndarray:
        values, vectors = scipy.linalg.eigh(matrix)
        return vectors * np.sqrt(values.clip(0)) @ vectors.T

    x, y = real.double().numpy(), fake.double().numpy()
    first, second = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    cross = root(root(first) @ second @ root(first))
    difference = x.mean(0) - y.mean(0)
    return float(difference @ difference + np.trace(first + second - 2 * cross))


def distance(real: Tensor, fake: Tensor) -> float:
    """Features to number in one go."""
    return frechet_distance(gaussian(real), gaussian(fake))


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 40), m=st.integers(2, 40), width=st.integers(2, 12), seed=st.integers(0, 1000))
def test_agrees_with_the_definition(n: int, m: int, width: int, seed: int) -> None:
    """With more samples than features and with fewer, on either side, it equals the matrix square root."""
    real, fake = features(n, width, seed), features(m, width, seed + 1)

    assert distance(real, fake) == pytest.approx(frechet_slowly(real, fake), rel=1e-5, abs=1e-5)


def test_closed_form_of_diagonal_gaussians() -> None:
    """With diagonal covariances it is |m1 - m2|^2 plus the squared differences of the deviations."""
    first = Gaussian(torch.tensor([1.0, 0.0]).double(), torch.diag(torch.tensor([3.0, 1.0])).double())
    second = Gaussian(torch.tensor([0.0, 2.0]).double(), torch.diag(torch.tensor([1.0, 5.0])).double())

    assert frechet_distance(first, second) == pytest.approx((1 + 4) + (2**2 + 4**2), rel=1e-9)


def test_a_shift_of_the_mean_costs_its_square() -> None:
    """Equal covariances cancel exactly, also when there are fewer samples than features."""
    real = features(20, 50, seed=0)

    assert distance(real, real + 0.5) == pytest.approx(50 * 0.25, rel=1e-5)


def test_is_zero_for_equal_features_and_symmetric() -> None:
    """A set is at distance 0 from itself, never below, and neither side is special."""
    real, fake = features(30, 10, seed=0), features(30, 10, seed=1)

    assert distance(real, real) == pytest.approx(0, abs=1e-9)
    assert distance(real, real) >= 0
    assert distance(real, fake) == pytest.approx(distance(fake, real))


def test_few_samples_read_high() -> None:
    """The bias that forces equal counts: two samples of one distribution drift apart as they shrink."""
    both = features(4000, 64, seed=0)
    readings = [distance(both[:n], both[-n:]) for n in (50, 200, 1000)]

    assert readings == sorted(readings, reverse=True)
    assert readings[0] > 5 * readings[-1]


def test_large_offsets_do_not_drown_the_covariance() -> None:
    """Features far from the origin, where float32 sums cancel, keep their distance."""
    real, fake = features(100, 8, seed=0), features(100, 8, seed=1)

    assert distance(real.double() + 1e4, fake.double() + 1e4) == pytest.approx(distance(real, fake), rel=1e-6)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (torch.zeros(1, 4), "1 samples; at least 2"),
        (torch.zeros(4), r"must be \(N, D\)"),
        (torch.full((3, 4), math.nan), "not finite"),
        (torch.full((3, 4), math.inf), "not finite"),
    ],
)
def test_bad_features_are_refused(broken: Tensor, message: str) -> None:
    """Too few samples, another shape and values that are not finite are named, not turned into a score."""
    with pytest.raises(InputError, match=message):
        gaussian(broken)


def test_features_of_two_extractors_are_refused() -> None:
    """Statistics of different widths cannot come from one extractor."""
    with pytest.raises(InputError, match="one width, got 4 and 5"):
        frechet_distance(gaussian(features(9, 4, 0)), gaussian(features(9, 5, 0)))
