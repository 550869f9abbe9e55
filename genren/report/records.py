"""Reading the numbers that `evaluate` wrote, one file a category and seed."""

from typing import Any

from pydantic import BaseModel, ConfigDict, FiniteFloat, ValidationError

from genren import paths
from genren.errors import InputError
from genren.files import read_json

# Metric name -> number; None where a metric has no value, such as a distance of a model that diverged.
Values = dict[str, FiniteFloat | None]

# Lower and upper bound; None where a mean has no value.
Interval = tuple[FiniteFloat, FiniteFloat] | None


class Record(BaseModel):
    """One evaluation: the model's numbers, what they are held against, and what makes them comparable."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str
    seed: int
    metrics: Values
    baselines: dict[str, Values]  # baseline name -> the metrics that apply to it
    floor: Values  # the same metrics between two samples of the truth
    intervals: dict[str, dict[str, Interval]] = {}  # system -> metric -> 95 %, over models
    over_views: dict[str, Values] = {}  # system -> means over views instead of models, where models have several
    failed: dict[str, list[str]] = {}  # system -> models with a prediction that could not be measured
    comparable: dict[str, Any]  # counts, split, extractor, code version and so on

    def systems(self) -> dict[str, Values]:
        """All rows of a table: the model, the baselines, the floor."""
        return {"model": self.metrics, **self.baselines, "floor": self.floor}


def read_records(categories: list[str], seeds: list[int]) -> list[Record]:
    """Records of all categories and seeds, categories outermost, or InputError naming the stage to run."""
    if not categories or not seeds:
        raise InputError(f"a report needs categories and seeds, got {categories} and {seeds}; name them in params.yaml")
    return [_read_record(category, seed) for category in categories for seed in seeds]


def _read_record(category: str, seed: int) -> Record:
    path = paths.metrics(category, seed)
    stage = f"run `dvc repro evaluate@{category}-{seed}`"
    if not path.exists():
        raise InputError(f"{path} does not exist; {stage}")
    try:
        record = Record.model_validate(read_json(path))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        raise InputError(f"{path}: {where}: {first['msg']}; {stage}") from None
    if (record.category, record.seed) != (category, seed):
        raise InputError(f"{path} holds {record.category}-{record.seed}, expected {category}-{seed}; {stage}")
    return record
