"""Step `fetch`: a source of models in, images, cameras and oriented clouds of one category out."""

import csv
import errno
import hashlib
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.progress import Progress

from genren.errors import InputError
from genren.fetch.sources import SOURCES
from genren.fetch.sources.offer import Model
from genren.files import resuming_folder
from genren.params import FetchParams

# Models rendered side by side, at most: each takes up to 200 MB.
RENDERED_AT_ONCE = 4
RENDERED = {"procedural", "meshes", "shapenetcore"}


def fetch(category: str, params: FetchParams, out: Path) -> dict[str, Any]:
    """Write `out` anew from the source that `params` names; returns the counts of what was written and skipped.

    A model that cannot be read is named in `skipped.csv`. If none can, it is an error, and `out` stays as it was. An
    interrupted run goes on where it was.
    """
    offer = SOURCES[params.source](category, params)
    at_once = min(RENDERED_AT_ONCE, os.cpu_count() or 1) if params.source in RENDERED else params.download.parallel
    asked = f"{category} {params.model_dump(exclude={'download'})} {[model.name for model in offer.models]}"
    # Hashed, because an address may carry a token.
    with resuming_folder(out, hashlib.sha256(asked.encode()).hexdigest()) as folder:

        def attempt(model: Model) -> str | None:
            """Why the model was skipped, or None."""
            try:
                if not model.written(folder, category):
                    model.write(folder)
            except InputError as error:
                # A full disk is no fault of the model.
                if getattr(error.__cause__, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                    raise
                return str(error)
            return None

        # Renderer, encoders and the network let go of the interpreter's lock, so threads are enough.
        with ThreadPoolExecutor(max_workers=at_once) as pool, Progress() as bar:
            results = pool.map(attempt, offer.models)
            try:
                reasons = list(bar.track(results, len(offer.models), description=f"fetch {category}"))
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise
        outcomes = list(zip(offer.models, reasons, strict=True))
        skipped = [
            (model.source if params.source == "meshes" else model.name, reason) for model, reason in outcomes if reason
        ]
        kept = [model for model, reason in outcomes if not reason]
        if not kept:
            raise InputError(f"none of the {len(skipped)} {category} models can be used; the first: {skipped[0][1]}")
        rows = [(model.name, model.design, model.source, model.parts) for model in kept]
        _write_table(folder / "models.csv", ["model", "design", "source", "parts"], iter(rows))
        _write_table(folder / "skipped.csv", ["file", "reason"], iter(skipped))
        if offer.splits:
            lists = ((name, *row) for name, splits in sorted(offer.splits.items()) for row in sorted(splits.items()))
            _write_table(folder / "splits.csv", ["list", "model", "split"], lists)
        (folder / "source.txt").write_text(f"{params.source}\n")
        if offer.mended:
            (folder / "mended.txt").write_text("".join(f"{sentence}\n" for sentence in offer.mended))
    return {
        "category": category,
        "source": params.source,
        "models": len(kept),
        "designs": len({model.design for model in kept}),
        "images": sum(1 for _ in out.glob("ShapeNetRendering/*/*/rendering/*.png")),
        "skipped": len(skipped),
        **({"mended": offer.mended} if offer.mended else {}),
    }


def _write_table(path: Path, columns: list[str], rows: Iterator[tuple[str, ...]]) -> None:
    with path.open("w", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
