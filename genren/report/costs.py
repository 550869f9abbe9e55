"""What the stages cost: seconds and peak memory, as each stage noted them. Never part of summary.json."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, ValidationError

from genren import paths
from genren.errors import InputError
from genren.files import read_json
from genren.report.tables import Table, number

STEPS = ("fetch", "preprocess", "train", "baseline", "evaluate")


class Cost(BaseModel):
    """One run of one stage."""

    model_config = ConfigDict(frozen=True)

    step: str
    item: str  # category, or category-seed
    seconds: float
    peak_memory_gb: float | None = None  # resident memory of the stage's process
    cpu_count: int | None = None
    torch_version: str | None = None


@dataclass(frozen=True)
class CostTable:
    """The table with its totals ready to quote."""

    table: Table
    total_seconds: float | None  # None if a stage left no note
    peak_memory_gb: float | None
    machine: str  # what the stages ran on, as far as they noted it


def read_costs(categories: list[str], seeds: list[int]) -> dict[tuple[str, str], Cost]:
    """(step, item) -> cost, of the stages that left a note; results pulled from elsewhere may have none."""
    items = [(step, item) for category in categories for step, item in _stages(category, seeds)]
    return {(step, item): _read_cost(step, item) for step, item in items if paths.cost(step, item).exists()}


def cost_table(costs: dict[tuple[str, str], Cost], categories: list[str], seeds: list[int]) -> CostTable:
    """Seconds by category and step, seeds added up; total time and peak memory of all."""
    rows, grand = [], []
    for category in categories:
        stages = _stages(category, seeds)
        parts = [_total([costs.get(stage) for stage in stages if stage[0] == step]) for step in STEPS]
        grand.append(parts)
        rows.append([category, *_row(parts), number(_peak([costs[s] for s in stages if s in costs]), ".2f")])
    sums = [_sum(column) for column in zip(*grand, strict=True)]
    peak = _peak(list(costs.values()))
    rows.append(["all", *_row(sums), number(peak, ".2f")])
    head = ["", *(f"{step}, s" for step in STEPS), "total, s", "peak memory, GB"]
    return CostTable(Table(head, rows), _sum(sums), peak, _machine(list(costs.values())))


def _stages(category: str, seeds: list[int]) -> list[tuple[str, str]]:
    once = [(step, category) for step in STEPS[:2]]
    return once + [(step, f"{category}-{seed}") for step in STEPS[2:] for seed in seeds]


def _read_cost(step: str, item: str) -> Cost:
    path = paths.cost(step, item)
    try:
        return Cost.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {where}: {first['msg']}; run `dvc repro -f -s {step}@{item}`") from None


def _total(costs: list[Cost | None]) -> float | None:
    return _sum([None if cost is None else cost.seconds for cost in costs])


def _sum(values: list[float | None] | tuple[float | None, ...]) -> float | None:
    """Sum, or None if a part is unknown: a total that leaves a stage out would be too good."""
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None


def _peak(costs: list[Cost]) -> float | None:
    return max((cost.peak_memory_gb for cost in costs if cost.peak_memory_gb is not None), default=None)


def _row(parts: list[float | None]) -> list[str]:
    return [*(number(part, ".0f") for part in parts), number(_sum(parts), ".0f")]


def _machine(costs: list[Cost]) -> str:
    cores = sorted({f"{cost.cpu_count} CPU cores" for cost in costs if cost.cpu_count is not None})
    versions = sorted({f"torch {cost.torch_version}" for cost in costs if cost.torch_version is not None})
    return ", ".join(cores + versions) or "machine not noted"
