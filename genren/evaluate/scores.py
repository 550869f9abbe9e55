"""Values by image or by model under each metric's name, their means both ways, and how sure the means are."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from torch import Tensor

from genren.metrics.bootstrap import interval


@dataclass(frozen=True)
class Scores:
    """One value per prediction and metric. A prediction without a value has NaN, and so has every mean over it."""

    values: dict[str, Tensor]  # each (N,)
    models: list[str]  # model of each prediction

    def rows(self) -> pd.DataFrame:
        """Mean per model over its views, one row each, in the order of first appearance."""
        # Summed by hand: pandas would leave NaN out of its means without a word.
        codes, names = pd.factorize(np.array(self.models, dtype=object))
        columns = {}
        for name, value in self.values.items():
            columns[name] = np.bincount(codes, value.double().numpy(), len(names)) / np.bincount(codes)
        return pd.DataFrame(columns, index=pd.Index(names, name="model"))


@dataclass
class System:
    """Everything measured of one row of a table: the model, or a baseline."""

    metrics: dict[str, float] = field(default_factory=dict)  # means over models of means over their views
    over_views: dict[str, float] = field(default_factory=dict)  # means over views, where models have several
    intervals: dict[str, tuple[float, float] | None] = field(default_factory=dict)  # 95 %, over models
    failed: list[str] = field(default_factory=list)  # models with a prediction that could not be measured
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    def add(self, scores: Scores, seed: int) -> None:
        """Take in metrics of predictions."""
        rows = scores.rows()
        for name in scores.values:
            values = rows[name].to_numpy()
            self.metrics[name] = float(values.mean())
            if len(values) > 1:
                self.intervals[name] = interval(values, seed)
            if len(scores.models) > len(rows):
                self.over_views[name] = float(scores.values[name].double().mean())
        broken = rows.index[rows.isna().any(axis=1)]
        self.failed = sorted({*self.failed, *broken})
        self.rows = rows if self.rows.empty else self.rows.join(rows, how="outer")

    def set_values(self, values: dict[str, float]) -> None:
        """Take in numbers that belong to the whole set and to no model."""
        self.metrics |= values
