"""Kernel distance: the definition, no bias at any size, and an error bar that means something."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genren.errors import InputError
from genren.metrics import kid
from genren.metrics.kid import kernel_distance


def normal(count: int, width: int, seed: int, shift: float = 0.0) -> Tensor:
    """Seeded standard normal features (count, width), moved along every axis."""
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed)) + shift


def kernel_distance_slowly(real: Tensor, fake: Tensor) -> float:
    """The U-statistic by its definition: three means over pairs, no sample paired with itself."""

    def kernel(x: Tensor, y: Tensor) -> float:
        return float((x.double() @ y.double() / len(x) + 1) ** 3)

    def within(items: Tensor) -> float:
        pairs = [kernel(x, y) for i, x in enumerate(items) for j, y in enumerate(items) if i != j]
        return sum(pairs) / len(pairs)

    across = [kernel(x, y) for x in real for y in fake]
    return within(real) + within(fake) - 2 * sum(across) / len(across)


@settings(max_examples=20, deadline=None)
@given(n=st.integers(3, 9), m=st.integers(3, 9), seed=st.integers(0, 1000))
def test_agrees_with_the_definition(n: int, m: int, seed: int) -> None:
    """The sums over rows equal the triple loop, with equal and with different counts."""
    real, fake = normal(n, 5, seed), normal(m, 5, seed + 1, shift=0.3)

    assert kernel_distance(real, fake).value == pytest.approx(kernel_distance_slowly(real, fake))


def test_the_error_is_the_jackknife() -> None:
    """The error from the sums equals leaving out every sample and computing all anew."""
    real, fake = normal(6, 4, 0), normal(8, 4, 1, shift=0.5)
    variance = 0.0
    for side, items in ((0, real), (1, fake)):
        estimates = []
        for i in range(len(items)):
            pair = [real, fake]
            pair[side] = torch.cat([items[:i], items[i + 1 :]])
            estimates.append(kernel_distance_slowly(*pair))
        mean = sum(estimates) / len(estimates)
        variance += (len(items) - 1) / len(items) * sum((e - mean) ** 2 for e in estimates)

    assert kernel_distance(real, fake).standard_error == pytest.approx(math.sqrt(variance))


def test_has_no_bias_at_small_counts() -> None:
    """Over many draws from one distribution the mean is 0 within its error, at 20 samples as at 100."""
    for count in (20, 100):
        values = torch.tensor(
            [kernel_distance(normal(count, 16, 2 * s), normal(count, 16, 2 * s + 1)).value for s in range(200)]
        )

        assert abs(float(values.mean())) < 3 * float(values.std()) / 200**0.5
        assert (values < 0).any()


def test_the_error_bar_covers_the_spread() -> None:
    """For two distributions apart, the mean standard error is the spread over draws, within a third."""
    draws = [kernel_distance(normal(60, 8, 2 * s), normal(60, 8, 2 * s + 1, shift=0.4)) for s in range(100)]
    spread = float(torch.tensor([d.value for d in draws]).std())
    mean_error = sum(d.standard_error for d in draws) / len(draws)

    assert mean_error == pytest.approx(spread, rel=1 / 3)


def test_grows_with_the_shift_and_is_symmetric() -> None:
    """Farther apart is larger, and neither side is special."""
    real = normal(200, 8, 0)
    values = [kernel_distance(real, normal(200, 8, 1, shift)).value for shift in (0.0, 0.2, 0.5, 1.0)]

    assert values == sorted(values)
    assert kernel_distance(real, normal(100, 8, 1)).value == pytest.approx(
        kernel_distance(normal(100, 8, 1), real).value
    )


def test_chunks_do_not_change_the_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Large sets go through in slices, which may not be seen in the number."""
    real, fake = normal(37, 6, 0), normal(41, 6, 1)
    expected = kernel_distance(real, fake)
    monkeypatch.setattr(kid, "CHUNK_ROWS", 10)
    chunked = kernel_distance(real, fake)

    assert (expected.value, expected.standard_error) == pytest.approx((chunked.value, chunked.standard_error))


@pytest.mark.parametrize(
    ("real", "fake", "message"),
    [
        (torch.zeros(2, 4), torch.zeros(5, 4), "real features hold 2 samples; at least 3"),
        (torch.zeros(5, 4), torch.full((5, 4), math.nan), "fake features are not finite"),
        (torch.zeros(5, 4), torch.zeros(5, 3), "one width, got 4 and 3"),
    ],
)
def test_bad_features_are_refused(real: Tensor, fake: Tensor, message: str) -> None:
    """Too few samples, another width and values that are not finite are named, with the side they are on."""
    with pytest.raises(InputError, match=message):
        kernel_distance(real, fake)


def test_groups_leave_the_value_and_make_the_error_honest() -> None:
    """Six near-copies of a sample are no more evidence: over draws the grouped error is the spread, the other not."""

    def views(seed: int, shift: float) -> tuple[Tensor, Tensor]:
        models = normal(24, 8, seed, shift)
        noise = 0.05 * normal(144, 8, seed + 5000)
        return models.repeat_interleave(6, dim=0) + noise, torch.arange(24).repeat_interleave(6)

    values, grouped, single = [], [], []
    for seed in range(40):
        (real, real_models), (fake, fake_models) = views(2 * seed, 0.0), views(2 * seed + 1, 0.5)
        alone, by_model = kernel_distance(real, fake), kernel_distance(real, fake, real_models, fake_models)
        values.append(by_model.value)
        grouped.append(by_model.standard_error)
        single.append(alone.standard_error)
        assert by_model.value == alone.value
    spread = float(torch.tensor(values).std())

    assert sum(grouped) / 40 == pytest.approx(spread, rel=0.35)
    assert sum(single) / 40 < 0.6 * spread


def test_the_grouped_error_is_the_jackknife_over_groups() -> None:
    """Leaving out each group in turn and computing all anew gives the same error, with groups of unequal size."""
    real, fake = normal(7, 4, 0), normal(9, 4, 1, shift=0.5)
    groups = torch.tensor([5, 5, 2, 2, 2, 9, 9]), torch.tensor([0, 1, 1, 2, 2, 2, 3, 3, 0])
    variance = 0.0
    for side in (0, 1):
        estimates = []
        for group in groups[side].unique():
            pair = [real, fake]
            pair[side] = pair[side][groups[side] != group]
            estimates.append(kernel_distance_slowly(*pair))
        mean = sum(estimates) / len(estimates)
        variance += (len(estimates) - 1) / len(estimates) * sum((e - mean) ** 2 for e in estimates)

    assert kernel_distance(real, fake, *groups).standard_error == pytest.approx(math.sqrt(variance))


def test_duplicating_samples_does_not_lower_the_distance() -> None:
    """Every fake twice is no better than once: the pairs of twins push the estimate up, never down."""
    real, fake = normal(60, 8, 0), normal(60, 8, 1, shift=0.3)

    assert kernel_distance(real, fake.repeat(2, 1)).value >= kernel_distance(real, fake).value


def test_too_few_groups_are_refused() -> None:
    """A jackknife over two models is no error bar, and groups belong to samples one by one."""
    with pytest.raises(InputError, match="real samples come from 2 groups"):
        kernel_distance(normal(6, 4, 0), normal(6, 4, 1), torch.tensor([0, 0, 0, 1, 1, 1]))
    with pytest.raises(InputError, match=r"fake groups must be \(6,\)"):
        kernel_distance(normal(6, 4, 0), normal(6, 4, 1), None, torch.tensor([0, 1, 2]))
