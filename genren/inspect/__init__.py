"""Step `inspect`: what is in a category's packed store, as numbers, oddities and a contact sheet."""

from pathlib import Path
from typing import Any

from genren.data.splits import SPLITS
from genren.data.store import Store
from genren.files import write_json
from genren.inspect.measure import measure
from genren.inspect.oddities import oddities
from genren.inspect.sheet import contact_sheet


def inspect(category: str, data: Path, out: Path) -> dict[str, Any]:
    """Look at the store in `data`, write `summary.json` and `sheet.png` into `out`, and return the summary.

    Other categories' stores are expected beside `data`: no model may be in two of them.
    """
    store = Store.open(data)
    measured = measure(store)
    others = {
        path.name: path / "models.csv" for path in data.parent.iterdir() if path.name not in (data.name, category)
    }
    summary = {
        "category": category,
        "split": store.info["settings"].get("split", "own"),
        "models": _counts(store.models["split"].tolist()),
        "designs": store.info["designs"],
        "images": _counts(store.views["split"].tolist()),
        "image_pixels": store.images.shape[1],
        "points_per_cloud": store.points.shape[1],
        "sources": sorted({_kind(source) for source in store.views.get("source", [])}),
        "skipped": len(store.info["skipped"]),
        "dropped_points": store.info["dropped_points"],
        "coverage": measured.coverage(),
        "odd": oddities(store, measured, {name: path for name, path in others.items() if path.is_file()}),
    }
    write_json(out / "summary.json", summary)
    contact_sheet(store, out / "sheet.png")
    return summary


def lines(summary: dict[str, Any]) -> list[str]:
    """The summary for a person to read."""
    result = [f"{summary['category']}: split {summary['split']}, from {', '.join(summary['sources']) or 'unknown'}"]
    for what in ("models", "designs", "images"):
        counts = summary[what]
        parts = ", ".join(f"{split} {counts[split]}" for split in SPLITS)
        result.append(f"{what}: {sum(counts.values())} ({parts})")
    result.append(
        f"images of {summary['image_pixels']} pixels, clouds of {summary['points_per_cloud']} points; "
        f"{summary['skipped']} models skipped, {summary['dropped_points']} points dropped"
    )
    for name, value in summary["coverage"].items():
        result.append(f"{name.replace('_', ' ')}: " + ("unknown" if value is None else _range(value)))
    return [*result, *(f"odd: {sentence}" for sentence in summary["odd"] or ["nothing"])]


def _range(value: dict[str, float]) -> str:
    return ", ".join(f"{name} {number:.3f}" for name, number in value.items())


def _counts(splits: list[str]) -> dict[str, int]:
    return {split: splits.count(split) for split in SPLITS}


def _kind(source: str) -> str:
    """First word of a model's source: what it is, without the file or the generator's arguments."""
    return source.partition(" ")[0] or "unknown"
