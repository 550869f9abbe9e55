"""Step `preprocess`: one category's images and clouds in, the packed store out."""

import csv
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.progress import Progress

from genren.data import r2n2
from genren.data.raw import Task
from genren.data.splits import SPLITS, split_designs
from genren.data.store import MODEL_COLUMNS, VIEW_COLUMNS, read_table
from genren.errors import InputError
from genren.files import resuming_folder, write_json
from genren.params import PreprocessParams
from genren.preprocess.journal import Journal
from genren.preprocess.pool import packed

# Source and split of the data that published results are on, by the names in genren/report/published.csv.
PUBLISHED = {
    ("pixel2mesh", "pixel2mesh"): "ShapeNetP2M test",
    ("r2n2", "pixel2mesh"): "ShapeNet renders of 3D-R2N2, all 24 views",
    ("nmr", "softras"): "NMR renders 64x64, softras splits",
}


def preprocess(category: str, params: PreprocessParams, raw: Path, out: Path) -> dict[str, Any]:
    """Write the store `out` anew from the `raw` folder of a category; returns the content of its store.json.

    A model of which any file is damaged is left out as a whole, counted and named. If none is left, or fewer than three
    designs are, it is an error, and `out` stays as it was. An interrupted run goes on where it was and ends the same.
    """
    table = _models(raw, category)
    official = _official(raw, params.split)
    key = f"{category} {params.model_dump(exclude={'workers'})} {_state(raw)} {[row['model'] for row in table]}"
    with resuming_folder(out, hashlib.sha256(key.encode()).hexdigest()) as folder:
        with Journal(folder, params.img_size, params.points) as journal, Progress() as bar:
            rest = []
            for row in table:
                if row["model"] in journal.done:
                    continue
                if official is not None and row["model"] not in official:
                    journal.skip(row["model"], f"the list of split {params.split} does not have it")
                else:
                    rest.append(row)
            tasks = [
                Task(raw, category, row["model"], row["parts"], params.img_size, params.points, params.seed)
                for row in rest
            ]
            results = packed(tasks, params.workers)
            shown = bar.track(results, len(rest), description=f"preprocess {category}")
            for row, result in zip(rest, shown, strict=True):
                if isinstance(result, str):
                    journal.skip(row["model"], result)
                else:
                    journal.add(row, result)
        return _finish(category, params, folder, journal, official, _dataset(raw, params.split))


def _finish(
    category: str,
    params: PreprocessParams,
    folder: Path,
    journal: Journal,
    official: dict[str, str] | None,
    dataset: str,
) -> dict[str, Any]:
    """Write the tables and store.json from the journal. Splits come last: only whole models count."""
    models = [
        {name: entry[name] for name in ("model", "design", "parts")}
        for entry in journal.entries()
        if "reason" not in entry
    ]
    skipped = [{name: entry[name] for name in ("model", "reason")} for entry in journal.entries() if "reason" in entry]
    if not models:
        raise InputError(f"none of the {len(skipped)} {category} models can be used; the first: {skipped[0]['reason']}")
    splits = official or _own(models, params)

    # Row by row, so that memory does not grow with the number of views.
    views, clouds = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0)
    dropped = 0
    with (folder / "views.csv").open("w", newline="") as v, (folder / "models.csv").open("w", newline="") as m:
        view_table, model_table = (csv.writer(stream, lineterminator="\n") for stream in (v, m))
        view_table.writerow(VIEW_COLUMNS)
        model_table.writerow(MODEL_COLUMNS)
        for entry in journal.entries():
            if "reason" in entry:
                continue
            split = splits[entry["model"]]
            dropped += entry.get("dropped", 0)
            for view in entry["views"]:
                view_table.writerow(_cells({**entry, **view, "split": split}, VIEW_COLUMNS))
                views[split] += 1
            if "scale" in entry:
                model_table.writerow(_cells({**entry, "split": split}, MODEL_COLUMNS))
                clouds[split] += 1
    journal.remove()
    designs = {model["design"]: splits[model["model"]] for model in models}
    info = {
        "category": category,
        "dataset": dataset,
        "settings": params.model_dump(),
        "models": clouds,
        "designs": {split: list(designs.values()).count(split) for split in SPLITS},
        "images": views,
        "dropped_points": dropped,
        "skipped": skipped,
    }
    write_json(folder / "store.json", info)
    return info


def _own(models: list[dict[str, str]], params: PreprocessParams) -> dict[str, str]:
    """Our own split, by design. What has only images or only a cloud cannot be tested, and is for training."""
    paired = [model for model in models if model["parts"] == "both"]
    splits = {model["model"]: "train" for model in models}
    if paired:
        fractions = (params.train, params.val, params.test)
        drawn = split_designs([model["design"] for model in paired], fractions, params.seed)
        splits |= {model["model"]: split for model, split in zip(paired, drawn, strict=True)}
    return splits


def _models(raw: Path, category: str) -> list[dict[str, str]]:
    """Rows of models.csv; in a downloaded archive, which has none, every folder is a model and a design of its own.

    A model that only the table knows is missing, and will be named as such.
    """
    path = raw / "models.csv"
    rows: dict[str, dict[str, str]] = {}
    if path.is_file():
        table = read_table(path, ["model", "design"])
        for name in ("source", "parts"):
            if name not in table:
                table[name] = "" if name == "source" else "both"
        columns = ["model", "design", "source", "parts"]
        rows = {values[0]: dict(zip(columns, values, strict=True)) for values in table[columns].to_numpy().tolist()}
    if not all(row["parts"] == "cloud" for row in rows.values()) or not rows:
        for name in r2n2.list_models(raw, category):
            rows.setdefault(name, {"model": name, "design": name, "source": "", "parts": "both"})
    return [rows[name] for name in sorted(rows)]


def _official(raw: Path, name: str) -> dict[str, str] | None:
    """Model -> split of an official list that fetch found; None for our own."""
    if name == "own":
        return None
    path = raw / "splits.csv"
    table = read_table(path, ["list", "model", "split"]) if path.is_file() else None
    known = sorted(set(table["list"])) if table is not None else []
    if table is None or name not in known:
        raise InputError(
            f"preprocess.split is {name}, and {raw} has {f'the lists of {known}' if known else 'no official list'}; "
            "set it to own, or fetch from a source that has it: see docs/data.md"
        )
    rows = table[table["list"] == name]
    repeated = rows["model"][rows["model"].duplicated()]
    if len(repeated) or not set(rows["split"]) <= set(SPLITS):
        raise InputError(
            f"{path} puts {[*repeated, '?'][0]} into two splits, or into none of {', '.join(SPLITS)}; fetch again"
        )
    return dict(zip(rows["model"], rows["split"], strict=True))


def _state(raw: Path) -> list[tuple[int, int]]:
    """What changes when `raw` is fetched anew."""
    stats = [path.stat() for path in (raw, *sorted(raw.glob("*.csv"))) if path.exists()]
    return [(stat.st_ino, stat.st_mtime_ns) for stat in stats]


def _cells(row: dict[str, Any], columns: list[str]) -> Iterator[Any]:
    """Cells of a row; what is unknown is empty."""
    return ("" if row[name] is None else row[name] for name in columns)


def _dataset(raw: Path, split: str) -> str:
    """What published results call these data, so that they may stand beside ours; else source and split."""
    file = raw / "source.txt"
    source = file.read_text().strip() if file.is_file() else "unnamed"
    return PUBLISHED.get((source, split), f"{source}, split {split}")
