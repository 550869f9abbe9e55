"""From records to scores: over seeds, over categories, and the small file that `dvc metrics diff` reads."""

import statistics
from dataclasses import dataclass
from typing import Any

from genren.report.cautions import fingerprint
from genren.report.records import Record, Values


@dataclass(frozen=True)
class Score:
    """A metric over the seeds of a run."""

    mean: float | None  # None if any seed has no value
    deviation: float | None  # sample standard deviation; None for a single seed


# System ("model", a baseline, "floor") -> metric name -> score.
Group = dict[str, dict[str, Score]]


def by_category(records: list[Record]) -> dict[str, Group]:
    """The scores of every category, in the order of the records."""
    names = dict.fromkeys(record.category for record in records)
    return {name: _over_seeds([record.systems() for record in records if record.category == name]) for name in names}


def mean_over_categories(records: list[Record]) -> Group:
    """Scores of the mean over categories, taken seed by seed, so the deviation is that of the mean.

    A metric counts only under one name in all categories: feature distances of different sample counts have no mean.
    Nor have standard errors.
    """
    seeds = dict.fromkeys(record.seed for record in records)
    return _over_seeds([_mean([record.systems() for record in records if record.seed == seed]) for seed in seeds])


def summary(records: list[Record]) -> dict[str, Any]:
    """The model's numbers by category and seed, and their mean: only what the same code and data give again.

    With a digest of what makes each comparable, so that `dvc metrics diff` itself shows where two results are not.
    """
    nested: dict[str, Any] = {}
    for record in records:
        nested.setdefault(record.category, {})[f"seed{record.seed}"] = record.metrics
    nested["comparable"] = {f"{r.category}-{r.seed}": fingerprint(r.comparable) for r in records}
    nested["mean"] = {name: score.mean for name, score in mean_over_categories(records)["model"].items()}
    return nested


def _mean(categories: list[dict[str, Values]]) -> dict[str, Values]:
    """Mean over categories of the systems and metrics that all of them have."""
    mean: dict[str, Values] = {}
    for system, first in categories[0].items():
        if not all(system in systems for systems in categories):
            continue
        columns = {name: [systems[system].get(name) for systems in categories] for name in first}
        shared = [name for name in columns if not name.endswith("_se")]
        shared = [name for name in shared if all(name in systems[system] for systems in categories)]
        mean[system] = {name: _mean_of(columns[name]) for name in shared}
    return mean


def _over_seeds(seeds: list[dict[str, Values]]) -> Group:
    """Mean and deviation over seeds of every system and metric that any of them has."""
    group: Group = {}
    for system in dict.fromkeys(name for systems in seeds for name in systems):
        rows = [systems.get(system, {}) for systems in seeds]
        group[system] = {}
        for metric in dict.fromkeys(name for row in rows for name in row):
            values = [row.get(metric) for row in rows]
            known = [value for value in values if value is not None]
            spread = statistics.stdev(known) if len(known) == len(values) > 1 else None
            group[system][metric] = Score(_mean_of(values), spread)
    return group


def _mean_of(values: list[float | None]) -> float | None:
    """Mean, or None if any value is missing: leaving one out would flatter or punish the rest."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if len(known) == len(values) else None
