"""The tables of the report as text cells, the same for the page, the summary and the README."""

import math
import re
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from genren.errors import InputError
from genren.report.records import Interval, Record
from genren.report.scores import Group, Score

MISSING = "n/a"  # the metric has no value
ABSENT = "–"  # the metric does not apply

LABELS = {
    "model": "model",
    "untrained": "untrained",
    "template": "template",
    "mean_shape": "mean shape",
    "nearest_image": "nearest image",
    "oracle": "oracle nearest neighbour",
    "gan": "image GAN",
    "floor": "floor",
}

# A feature distance carries extractor and count: fd_randconv448_seed0_n768. Standard errors end in _se, not in a count.
FEATURE_DISTANCE = re.compile(r"^(?P<stem>(?:fd|kd|fid|kid)_.+)_n(?P<count>\d+)$")


@dataclass(frozen=True)
class Table:
    """A table of ready-made text; the first column names the rows."""

    head: list[str]
    rows: list[list[str]]


@dataclass(frozen=True)
class Column:
    """A metric in the tables that are read first; its title is its name in the metrics file."""

    key: str  # metric name; for feature distances without the count
    title: str
    style: str  # format specification of its numbers


def _column(key: str, style: str, better: str) -> Column:
    """A column titled by its key, the direction spelled with an arrow."""
    return Column(key, f"{key.replace('/image_to_', ' image → ').replace('/shape_to_', ' shape → ')} {better}", style)


SHAPE_COLUMNS = [
    _column("chamfer_l1/image_to_shape", ".4f", "↓"),
    _column("chamfer_l1/shape_to_shape", ".4f", "↓"),
    _column("fscore_1e-4/image_to_shape", ".3f", "↑"),
    _column("fscore_1e-4/shape_to_shape", ".3f", "↑"),
    _column("silhouette_iou", ".3f", "↑"),
    _column("rerender_l1", ".4f", "↓"),
    _column("psnr", ".2f", "↑"),
]


def results_table(groups: dict[str, Group], mean: Group) -> Table:
    """The model, category by category, and below the mean over categories beside its baselines and floor."""
    columns = _columns([*groups.values(), mean])
    rows = [[category, *_cells("model", group["model"], columns)] for category, group in groups.items()]
    for name, scores in mean.items():
        rows.append(["mean" if name == "model" else LABELS.get(name, name), *_cells(name, scores, columns)])
    return Table(["", *(column.title for column in columns)], rows)


def category_table(group: Group) -> Table:
    """One category: the model, its baselines and its floor."""
    columns = _columns([group])
    rows = [[LABELS.get(name, name), *_cells(name, scores, columns)] for name, scores in group.items()]
    return Table(["", *(column.title for column in columns)], rows)


def full_table(group: Group, intervals: dict[str, dict[str, Interval]] | None = None) -> Table:
    """One category, every metric that was written: metrics down, systems across, 95 % intervals where there are any."""
    metrics = dict.fromkeys(metric for scores in group.values() for metric in scores)
    rows = []
    for metric in metrics:
        cells = []
        for system, scores in group.items():
            text = _text(scores.get(metric), ".4g")
            bounds = (intervals or {}).get(system, {}).get(metric)
            cells.append(f"{text} [{bounds[0]:.3g}, {bounds[1]:.3g}]" if bounds and metric in scores else text)
        rows.append([metric, *cells])
    return Table(["metric", *(LABELS.get(name, name) for name in group)], rows)


def views_table(record: Record) -> Table | None:
    """The model's means over models beside those over views, of the metrics for which they differ; None if none do."""
    rows = []
    for metric, over_views in record.over_views.get("model", {}).items():
        over_models = record.metrics.get(metric)
        if over_views is None or over_models is None or not math.isclose(over_views, over_models, rel_tol=1e-6):
            rows.append([metric, number(over_models, ".4g"), number(over_views, ".4g")])
    return Table(["metric", "mean over models", "mean over views"], rows) if rows else None


def hardest_table(samples: Path, count: int = 5) -> Table | None:
    """The test models with the largest image -> shape Chamfer distance; None without per-model rows to rank."""
    path = samples / "rows.csv"
    if not path.exists():
        return None
    try:
        frame = pd.read_csv(path, dtype={"model": str})
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not a table ({error}); run the stage evaluate again") from None
    rank = SHAPE_COLUMNS[0].key
    if "model" not in frame or rank not in frame:
        return None
    # Image metrics have no direction in the metrics file, but may name their origin in the rows.
    names = [str(name) for name in frame]
    found = [(column, name) for column in SHAPE_COLUMNS for name in names if column.key in (name, _base(name))]
    worst = frame.sort_values(rank, ascending=False, kind="stable").head(count)
    rows = [
        [row["model"], *(number(None if pd.isna(row[name]) else row[name], column.style) for column, name in found)]
        for row in worst.to_dict("records")
    ]
    return Table(["model", *(column.title for column, _ in found)], rows)


def comparable_table(records: list[Record]) -> Table:
    """What makes the numbers comparable: one value where all evaluations agree, else each with its own."""
    facts = dict.fromkeys(fact for record in records for fact in record.comparable)
    rows = []
    for fact in facts:
        values = [str(record.comparable.get(fact, ABSENT)) for record in records]
        named = [f"{r.category}-{r.seed}: {value}" for r, value in zip(records, values, strict=True)]
        rows.append([fact.replace("_", " "), values[0] if len(set(values)) == 1 else ", ".join(named)])
    return Table(["", "value"], rows)


def number(value: float | None, style: str) -> str:
    """A number as text, or n/a."""
    return MISSING if value is None else format(value, style).rstrip(".")


def _columns(groups: list[Group]) -> list[Column]:
    """The columns that any system has a score for; every feature extractor has its own."""
    names = [name for group in groups for scores in group.values() for name in scores]
    columns = [column for column in SHAPE_COLUMNS if column.key in names]
    counts: dict[str, set[str]] = {}
    for match in filter(None, map(FEATURE_DISTANCE.match, names)):
        counts.setdefault(match["stem"], set()).add(match["count"])
    for stem, found in counts.items():
        columns.append(Column(stem, f"{stem}_n{found.pop() if len(found) == 1 else '*'} ↓", "#.3g"))
    return columns


def _cells(system: str, scores: dict[str, Score], columns: list[Column]) -> list[str]:
    return [_text(_find(system, scores, column.key), column.style) for column in columns]


def _find(system: str, scores: dict[str, Score], key: str) -> Score | None:
    """The score of a column: by name, or without the count. The floor of a metric serves both of its directions."""
    for name, score in scores.items():
        match = FEATURE_DISTANCE.match(name)
        same = system == "floor" and (_base(name), _end(name)) == (_base(key), _end(key))
        if same or key in (name, match and match["stem"]):
            return score
    return None


def _base(name: str) -> str:
    """A metric's name without its direction."""
    return name.split("/", maxsplit=1)[0]


def _end(name: str) -> list[str]:
    """What follows the direction in a metric's name: a frame, a protocol or a count, or nothing."""
    return name.split("/")[2:]


def _text(score: Score | None, style: str) -> str:
    """A score as text, with the deviation over seeds where they differ."""
    if score is None:
        return ABSENT
    mean = number(score.mean, style)
    return f"{mean} ± {number(score.deviation, style)}" if score.deviation else mean
