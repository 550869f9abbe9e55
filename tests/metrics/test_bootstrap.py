"""Intervals: they cover the truth as often as they say, and take models, not views, as evidence."""

import numpy as np
import pytest

from genren.errors import InputError
from genren.metrics.bootstrap import interval


def test_covers_the_true_mean_about_nineteen_times_in_twenty() -> None:
    """Over many samples of a skewed distribution, as errors are; percentiles run a little narrow."""
    rng = np.random.default_rng(0)
    bounds = [interval(rng.exponential(1.0, 40), seed) for seed in range(200)]
    covered = [low <= 1.0 <= high for low, high in filter(None, bounds)]

    assert 0.88 <= np.mean(covered) <= 0.98


def test_repeating_every_value_does_not_pass_for_models() -> None:
    """Twenty-four views of a model are one value here; had they been counted, the interval would shrink fivefold."""
    values = np.random.default_rng(0).random(30)
    low, high = interval(values, 0) or (0, 0)
    low_views, high_views = interval(np.repeat(values, 24), 0) or (0, 0)

    assert (high - low) > 4 * (high_views - low_views)
    assert interval(values, 0) == (low, high)


def test_a_missing_value_leaves_no_interval_and_one_model_none_to_draw() -> None:
    """NaN is not left out; a single model has no spread to resample."""
    assert interval(np.array([1.0, np.nan, 2.0]), 0) is None
    with pytest.raises(InputError, match="at least 2 models"):
        interval(np.array([1.0]), 0)
