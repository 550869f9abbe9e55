"""What the benchmark set itself to reach, and whether each category did."""

from collections.abc import Callable
from dataclasses import dataclass

from genren.report.scores import Group, Score
from genren.report.tables import FEATURE_DISTANCE, Table, number

SHAPE = "chamfer_l1/shape_to_shape"
IMAGE = "chamfer_l1/image_to_shape"


@dataclass(frozen=True)
class Verdict:
    """One target of one category."""

    category: str
    target: str
    figure: float | None
    bound: float | None
    relation: str  # what figure must be to bound: one of <, <=, >=
    met: bool | None  # None where either number is missing

    def __str__(self) -> str:
        if self.met is None:
            return f"not judged: figure {number(self.figure, '#.3g')}, bound {number(self.bound, '#.3g')}"
        relation = {"<": "<", "<=": "≤", ">=": "≥"}[self.relation]
        opposite = {"<": "≥", "<=": ">", ">=": "<"}[self.relation]
        figure, bound = number(self.figure, "#.3g"), number(self.bound, "#.3g")
        return f"met: {figure} {relation} {bound}" if self.met else f"missed: {figure} {opposite} {bound}"


def judge(groups: dict[str, Group]) -> list[Verdict]:
    """Every target of every category, categories outermost. Several seeds are judged by their mean."""
    return [verdict for category, group in groups.items() for verdict in _judge_one(category, group)]


def target_table(verdicts: list[Verdict]) -> Table:
    """Categories down, targets across."""
    targets = list(dict.fromkeys(verdict.target for verdict in verdicts))
    rows: dict[str, list[str]] = {}
    for verdict in verdicts:
        rows.setdefault(verdict.category, [verdict.category]).append(str(verdict))
    return Table(["", *targets], list(rows.values()))


def _judge_one(category: str, group: Group) -> list[Verdict]:
    def score(system: str, key: str | None) -> float | None:
        return group.get(system, {}).get(key or "", Score(None, None)).mean

    def half(value: float | None) -> float | None:
        return None if value is None else value / 2

    # The untrained model's distance counts only under the same name: same extractor, same number of samples.
    frechet = next((name for name in group["model"] if name.startswith("fd_") and FEATURE_DISTANCE.match(name)), None)
    return [
        _verdict(
            category,
            "shape → shape Chamfer L1 at most half the mean shape's",
            score("model", SHAPE),
            "<=",
            half(score("mean_shape", SHAPE)),
        ),
        _verdict(
            category,
            "image → shape Chamfer L1 below the mean shape's",
            score("model", IMAGE),
            "<",
            score("mean_shape", IMAGE),
        ),
        _verdict(category, "silhouette IoU at least 0.75", score("model", "silhouette_iou"), ">=", 0.75),
        _verdict(
            category,
            "Fréchet distance at most half the untrained model's",
            score("model", frechet),
            "<=",
            half(score("untrained", frechet)),
        ),
    ]


def _verdict(category: str, target: str, figure: float | None, relation: str, bound: float | None) -> Verdict:
    holds: dict[str, Callable[[float, float], bool]] = {
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">=": lambda a, b: a >= b,
    }
    met = None if figure is None or bound is None else holds[relation](figure, bound)
    return Verdict(category, target, figure, bound, relation, met)
