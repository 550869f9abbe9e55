"""Live metrics of a run: dvclive's files, kept whole over interruptions."""

from pathlib import Path
from types import TracebackType

import pandas as pd
from dvclive import Live

from genren.files import replacing


class Curves:
    """Means of logged values over every `every` steps, one tab-separated file a metric."""

    def __init__(self, folder: Path, step: int, every: int) -> None:
        # Rows past the checkpoint are from steps that will be taken again.
        for table in folder.glob("plots/metrics/**/*.tsv"):
            rows = pd.read_csv(table, sep="\t")
            with replacing(table) as temporary:
                rows[rows["step"] <= step].to_csv(temporary, sep="\t", index=False)
        self.live = Live(dir=str(folder), dvcyaml=None, save_dvc_exp=False, report=None, resume=folder.exists())
        self.every = every
        self.sums: dict[str, tuple[float, int]] = {}

    def log(self, step: int, values: dict[str, float]) -> None:
        """Note the values of one step, counted from one; terms of different stages come and go."""
        for name, value in values.items():
            total, count = self.sums.get(name, (0.0, 0))
            self.sums[name] = (total + value, count + 1)
        if step % self.every == 0:
            self.live.step = step
            for name, (total, count) in self.sums.items():
                self.live.log_metric(name, total / count, timestamp=False)
            self.live.make_summary()
            self.sums.clear()

    def __enter__(self) -> "Curves":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.live.end()
