"""The command line. Commands import what they need when they run, so that --help is instant."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from genren.categories import SYNSETS

app = typer.Typer(
    help="Cycle-consistent generative rendering: images to textured meshes, shapes to realistic renders.",
    no_args_is_help=True,
    rich_markup_mode=None,  # errors on one line: a person can copy them, a test can find them
    pretty_exceptions_enable=False,
    add_completion=False,
)

Category = Enum("Category", {name: name for name in SYNSETS}, type=str)  # type: ignore[misc]

CategoryOption = Annotated[Category, typer.Option("--category", help="Object category.")]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="Seed of the run.")]
OutOption = Annotated[Path, typer.Option("--out", file_okay=False, help="Folder to write into.")]
CheckpointOption = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", metavar="FILE", help="Model to use, as it is.  [default: the run of category and seed]"
    ),
]


@app.command()
def fetch(category: CategoryOption) -> None:
    """Fetch or generate one category's models, and render them."""
    from genren import params, paths
    from genren.fetch import fetch as step

    print(step(category.value, params.load().fetch, paths.raw(category.value)))


@app.command()
def preprocess(category: CategoryOption) -> None:
    """Pack one category's renders and clouds, split by model."""
    from genren import params, paths
    from genren.preprocess import preprocess as step

    raw, processed = paths.raw(category.value), paths.processed(category.value)
    print(step(category.value, params.load().preprocess, raw, processed))


@app.command()
def inspect(
    category: CategoryOption,
    out: Annotated[Path | None, typer.Option("--out", file_okay=False, help="Folder; default work/inspect.")] = None,
) -> None:
    """Show what a category's packed data hold, and what is odd."""
    from genren import paths
    from genren.inspect import inspect as step
    from genren.inspect import lines

    folder = out or paths.inspection(category.value)
    for line in lines(step(category.value, paths.processed(category.value), folder)):
        print(line)
    print(f"wrote {folder / 'sheet.png'} and {folder / 'summary.json'}")


@app.command()
def train(category: CategoryOption, seed: SeedOption = 0) -> None:
    """Train one category's model; an interrupted run continues."""
    from genren import params, paths
    from genren.doors import spread

    settings = params.load(category=category.value).train
    spread(settings.engine.devices)
    from genren.train import train as step

    out = paths.run(category.value, seed)
    step(category.value, seed, settings, paths.processed(category.value), out)
    print(f"wrote {out}")


@app.command("import-weights")
def import_weights(
    file: Annotated[Path, typer.Argument(help="A *.state_dict.pt of the original's release.")],
    category: CategoryOption,
    out: OutOption,
) -> None:
    """Turn the original's released weights into a checkpoint."""
    from genren.import_weights import import_weights as step

    path, differing = step(file, category.value, out)
    for line in differing:
        print(line)
    print(f"wrote {path}")


@app.command()
def baseline(category: CategoryOption, seed: SeedOption = 0) -> None:
    """Train the image-only baseline of one category."""
    from genren import params, paths
    from genren.baseline import baseline as step

    out = paths.baseline(category.value, seed)
    step(category.value, seed, params.load().baseline, paths.processed(category.value), out)
    print(f"wrote {out}")


@app.command("eval")
def evaluate(category: CategoryOption, seed: SeedOption = 0, checkpoint: CheckpointOption = None) -> None:
    """Measure a trained model beside its baselines.

    With --checkpoint, metrics.json and samples are written beside that file.
    """
    from genren import params, paths
    from genren.evaluate import evaluate as step
    from genren.models.checkpoint import load

    p = params.load(category=category.value)
    if checkpoint is None:
        trained = load(paths.model(category.value, seed), category.value, p.train)
        metrics, samples = paths.metrics(category.value, seed), paths.samples(category.value, seed)
    else:
        # The reports of the pipeline are of its own runs.
        trained = load(checkpoint, category.value)
        metrics, samples = checkpoint.parent / "metrics.json", checkpoint.parent / "samples"
    raw, gan = paths.raw(category.value), paths.baseline(category.value, seed) / "gan.safetensors"
    result = step(trained, paths.processed(category.value), p.evaluate, metrics, samples, raw, gan)
    _print_scores(result)
    print(f"wrote {metrics} and {samples}")


# The step's full word works too.
app.command("evaluate", hidden=True)(evaluate)


@app.command()
def report() -> None:
    """Write the report of all categories and seeds."""
    from genren import params, paths
    from genren.report import report as step

    p = params.load()
    step(list(p.categories), list(p.seeds))
    print(f"wrote {paths.reports() / 'summary.md'} and {paths.reports() / 'index.html'}")


@app.command()
def reconstruct(
    images: Annotated[list[Path], typer.Argument(help="RGBA PNGs of single objects.")],
    category: CategoryOption,
    out: OutOption,
    seed: SeedOption = 0,
    checkpoint: CheckpointOption = None,
) -> None:
    """Turn images into textured meshes (GLB) and re-renders."""
    from genren import paths
    from genren.models.checkpoint import load
    from genren.reconstruct import reconstruct as step

    trained = load(checkpoint or paths.model(category.value, seed), category.value)
    for path in step(trained, images, out):
        print(path)


@app.command()
def generate(
    category: CategoryOption,
    out: OutOption,
    count: Annotated[int, typer.Option("--count", min=1, help="How many meshes.")] = 8,
    seed: SeedOption = 0,
    sample_seed: Annotated[int, typer.Option("--sample-seed", min=0, help="Seed of the samples.")] = 0,
    checkpoint: CheckpointOption = None,
) -> None:
    """Make new textured meshes (GLB) and renders."""
    from genren import paths
    from genren.generate import generate as step
    from genren.models.checkpoint import load

    trained = load(checkpoint or paths.model(category.value, seed), category.value)
    for path in step(trained, count, sample_seed, out):
        print(path)


@app.command()
def doctor() -> None:
    """Say what is installed, and how to get what is missing."""
    from genren.doctor import examine

    for line in examine():
        print(line)


def _print_scores(result: dict[str, dict]) -> None:
    """A table of the model's metrics beside its baselines, names in full however narrow the terminal is."""
    import pandas as pd

    table = pd.DataFrame({"model": result["metrics"], **result["baselines"]}, index=list(result["metrics"]))
    print(table.to_string(float_format="{:.4f}".format, na_rep=""))


def main() -> None:
    """Run the command line; a user's mistake is one sentence and exit code 2."""
    from genren.doors import door

    with door():
        app(prog_name="genren")
