"""Live metrics of a run: dvclive's files, kept whole over interruptions; and the end of a run that diverges.

A value stays on its device until it is looked at: on the CPU at every step, on CUDA, where looking waits for the
device, every `every` steps.
"""

import math
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

import pandas as pd
import torch
from dvclive import Live
from torch import Tensor

from genren.engine import ranks
from genren.errors import TrainingDiverged
from genren.files import replacing
from genren.train.clock import Clock

Sums = dict[str, tuple[float, int]]  # of values since the last row, and how many


class Curves:
    """Means of logged values over every `every` steps, one tab-separated file a metric; rank 0 writes them.

    `sums` are those of the row that an interruption cut short. `kept` says which checkpoint a diverging run leaves.
    """

    def __init__(self, folder: Path, step: int, every: int, sums: Sums, kept: Callable[[], str]) -> None:
        self.every, self.kept = every, kept
        self.sums = sums
        self.unseen: list[tuple[int, list[str], Tensor]] = []
        self.live: Live | None = None
        if ranks.rank() > 0:
            return
        for table in folder.glob("plots/metrics/**/*.tsv"):
            _cut(table, step)
        self.live = Live(dir=str(folder), dvcyaml=None, save_dvc_exp=False, report=None, resume=folder.exists())

    def log(self, step: int, values: dict[str, Tensor], clock: Clock) -> None:
        """Note the values of one step, counted from one; terms of different stages come and go.

        The clock is read once a row. Raises TrainingDiverged if a value that is looked at is not finite.
        """
        stacked = torch.stack(list(values.values())).detach()
        self.unseen.append((step, list(values), stacked))
        if step % self.every == 0 or stacked.device.type == "cpu":
            self.look()
        clock.steps += 1
        if step % self.every == 0:
            row = {name: total / number for name, (total, number) in self.sums.items()} | clock.read()
            self.sums.clear()
            if self.live is not None:
                self.live.step = step
                for name, value in row.items():
                    self.live.log_metric(name, value, timestamp=False)
                self.live.make_summary()

    def look(self) -> None:
        """Fetch what was logged since the last look, and stop the run at the first step that is not finite."""
        unseen, self.unseen = self.unseen, []
        if not unseen:
            return
        tensors = [stacked for *_, stacked in unseen]
        # The ranks' values differ; their mean is not finite wherever one of them is not.
        ranks.average(tensors)
        numbers = torch.cat(tensors).tolist()
        for step, names, stacked in unseen:
            found, numbers = dict(zip(names, numbers, strict=False)), numbers[len(stacked) :]
            if not all(map(math.isfinite, found.values())):
                raise TrainingDiverged(f"training diverged at step {step}: {_listed(found)}; {self.kept()}")
            for name, value in found.items():
                total, number = self.sums.get(name, (0.0, 0))
                self.sums[name] = (total + value, number + 1)

    def __enter__(self) -> "Curves":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live is not None:
            self.live.end()


def _cut(table: Path, step: int) -> None:
    """Drop rows past the checkpoint, whose steps will be taken again, and what a full disk cut short."""
    try:
        rows = pd.read_csv(table, sep="\t").dropna()
    except pd.errors.EmptyDataError:
        table.unlink()
        return
    rows = rows[rows["step"] <= step].astype({"step": int})
    with replacing(table) as temporary:
        rows.to_csv(temporary, sep="\t", index=False)


def _listed(values: dict[str, float]) -> str:
    """Names and values, those that are not finite first."""
    ordered = sorted(values.items(), key=lambda item: math.isfinite(item[1]))
    return ", ".join(f"{name} {value:.4g}" for name, value in ordered)
