"""Scores over seeds and categories, and what has no mean."""

import pytest

from genren.report.records import Record, Values
from genren.report.scores import by_category, mean_over_categories, summary


def record(category: str, seed: int, metrics: Values, baselines: dict[str, Values] | None = None) -> Record:
    """A record with nothing but numbers."""
    return Record(category=category, seed=seed, metrics=metrics, baselines=baselines or {}, floor={}, comparable={})


def test_seeds_are_averaged_with_their_sample_deviation() -> None:
    """1, 2 and 3 are 2 ± 1; a single seed has no deviation rather than 0."""
    several = by_category([record("car", seed, {"psnr": 1.0 + seed}) for seed in range(3)])["car"]["model"]["psnr"]
    single = by_category([record("car", 0, {"psnr": 1.0})])["car"]["model"]["psnr"]

    assert (several.mean, several.deviation) == (2.0, 1.0)
    assert (single.mean, single.deviation) == (1.0, None)


def test_the_mean_is_over_categories_then_seeds() -> None:
    """The deviation is that of the mean: categories that differ, but not over seeds, have none."""
    records = [record(name, seed, {"psnr": value}) for name, value in (("car", 1.0), ("sofa", 3.0)) for seed in (0, 1)]
    score = mean_over_categories(records)["model"]["psnr"]

    assert (score.mean, score.deviation) == (2.0, 0.0)


def test_a_missing_value_makes_the_mean_missing() -> None:
    """Averaging what is left would let a diverged category improve the mean."""
    records = [record("car", 0, {"psnr": 20.0}), record("sofa", 0, {"psnr": None})]

    assert mean_over_categories(records)["model"]["psnr"].mean is None
    assert summary(records)["mean"] == {"psnr": None}


def test_feature_distances_of_different_counts_have_no_mean() -> None:
    """The count is part of the name because the value depends on it; nor is a standard error averaged."""
    first = record("car", 0, {"fd_x_n100": 1.0, "kd_x_n9": 2.0, "kd_x_n9_se": 0.1})
    second = record("sofa", 0, {"fd_x_n200": 1.0, "kd_x_n9": 4.0, "kd_x_n9_se": 0.1})

    assert summary([first, second])["mean"] == {"kd_x_n9": pytest.approx(3.0)}


def test_a_baseline_of_one_category_only_has_no_mean() -> None:
    """A mean over fewer categories would stand beside means over all."""
    records = [record("car", 0, {"psnr": 1.0}, {"untrained": {"psnr": 0.0}}), record("sofa", 0, {"psnr": 1.0})]

    assert "untrained" not in mean_over_categories(records)
    assert "untrained" in by_category(records)["car"]


def test_categories_keep_their_order() -> None:
    """The tables follow params.yaml, not the alphabet."""
    assert list(by_category([record("sofa", 0, {}), record("car", 0, {})])) == ["sofa", "car"]
