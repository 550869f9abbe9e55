"""`python -m tests.benchmarks.health --category chair --steps 2000`: a long run of preset mini, watched.

All stages keep their proportions. Printed as Markdown, by stage: values that are not finite, memory, use of hypotheses
and spread of poses, from the run's own live metrics.
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd

from genren import params, paths
from genren.train import train

WATCHED = ("time/peak_memory_gb", "poses/most_used", "poses/confidence", "poses/concentration", "gradient/model")


def lengthened(steps: int) -> params.TrainParams:
    """Preset mini with so many steps."""
    mini = params.parse(params.TrainParams, params.with_preset({"preset": "mini"}, "health"), "health")
    scale = steps / mini.stages.total
    names = ("autoencoder", "randomised", "mode1", "mode2", "mode3", "annealing")
    stages = {name: round(scale * getattr(mini.stages, name)) for name in names}
    stages["mode3"] += steps - sum(stages[name] for name in names[:-1])
    halves_at = round(scale * mini.optim.autoencoder_lr_halves_at)
    optim = mini.optim.model_copy(update={"autoencoder_lr_halves_at": halves_at})
    return mini.model_copy(update={"stages": mini.stages.model_copy(update=stages), "optim": optim})


def watched(live: Path, settings: params.TrainParams) -> pd.DataFrame:
    """Means of the watched metrics by stage, and how many rows of any metric are not finite."""
    lengths = settings.stages
    ends = pd.Series([lengths.autoencoder, lengths.randomised, lengths.mode1, lengths.mode2, lengths.mode3]).cumsum()
    names = ["autoencoder", "randomised", "mode1", "mode2", "mode3"]
    tables = []
    for file in sorted((live / "plots" / "metrics").rglob("*.tsv")):
        name = str(file.relative_to(live / "plots" / "metrics").with_suffix(""))
        rows = pd.read_csv(file, sep="\t").rename(columns={file.stem: "value"})
        tables.append(rows.assign(metric=name))
    rows = pd.concat(tables)
    rows["stage"] = pd.Categorical([names[int((ends < step).sum())] for step in rows["step"]], names)
    kept = rows[rows["metric"].isin(WATCHED)]
    table = kept.pivot_table("value", "stage", "metric", observed=False).reindex(columns=list(WATCHED))
    broken = ~rows["value"].map(lambda value: abs(float(value)) < float("inf"))
    table.insert(0, "not finite", broken.groupby(rows["stage"], observed=False).sum())
    return table


def main() -> None:
    """Train, watch, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--category", default="chair")
    parser.add_argument("--steps", type=int, default=2000)
    arguments = parser.parse_args()
    settings = lengthened(arguments.steps)
    with tempfile.TemporaryDirectory() as folder:
        taken = train(arguments.category, 0, settings, paths.processed(arguments.category), Path(folder) / "run")
        print(f"{taken} steps of preset mini on {arguments.category}\n")
        print(watched(Path(folder) / "run" / "live", settings).to_markdown(floatfmt=".3g"))


if __name__ == "__main__":
    main()
