"""An unfinished store: arrays that grow, and a journal of the models that are in them, a line each.

A line is written when the model's rows are. After an interruption the arrays are cut back to what the lines say, and
the next model goes on from there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from genren.data.cameras import from_views, unknown
from genren.data.raw import Packed
from genren.data.store import RowWriter

NAME = "journal.jsonl"


class Journal:
    """Appends models to the arrays of a store; entering it reads what an interrupted run left."""

    def __init__(self, folder: Path, img_size: int, points: int) -> None:
        self.folder, self.path = folder, folder / NAME
        self.shapes = {
            "images": ((img_size, img_size, 4), np.uint8),
            "cameras": ((3, 4), np.float32),
            "points": ((points, 3), np.float32),
            "normals": ((points, 3), np.float32),
        }
        self.done: set[str] = set()

    def __enter__(self) -> "Journal":
        self._drop_half_a_line()
        images = clouds = 0
        for entry in self.entries():
            self.done.add(entry["model"])
            images += len(entry.get("views", ()))
            clouds += "scale" in entry
        counts = {"images": images, "cameras": images, "points": clouds, "normals": clouds}
        self.arrays = {
            name: RowWriter(self.folder / f"{name}.npy", shape, dtype, keep=counts[name])
            for name, (shape, dtype) in self.shapes.items()
        }
        self.lines = self.path.open("a")
        return self

    def __exit__(self, *error: object) -> None:
        for array in self.arrays.values():
            array.close()
        self.lines.close()

    def add(self, row: dict[str, str], model: Packed) -> None:
        """Append a model: its rows first, then its line."""
        entry: dict[str, Any] = {**row, "views": []}
        if model.cloud is not None:
            self.arrays["points"].append(model.cloud.points[None])
            self.arrays["normals"].append(model.cloud.normals[None])
            entry |= dict(zip(("center_x", "center_y", "center_z"), model.cloud.center.tolist(), strict=True))
            entry |= {"scale": model.cloud.scale, "dropped": model.cloud.dropped, "checksum": model.cloud_checksum}
        if model.views is not None:
            self._add_views(entry, model)
        for array in self.arrays.values():
            array.flush()
        self._write(entry)

    def skip(self, name: str, reason: str) -> None:
        """Note that a model was left out."""
        self._write({"model": name, "reason": reason})

    def entries(self) -> Iterator[dict[str, Any]]:
        """All lines so far."""
        if self.path.is_file():
            with self.path.open() as stream:
                yield from map(json.loads, stream)

    def remove(self) -> None:
        """End: the arrays and the tables hold everything."""
        self.path.unlink()

    def _add_views(self, entry: dict[str, Any], model: Packed) -> None:
        assert model.views is not None
        cameras = model.views.cameras or from_views(model.views.metadata)  # type: ignore[arg-type]
        # The metadata as they stand in the file, to the digit.
        views = model.views.metadata or cameras.views()
        # Without a cloud there is no canonical frame to see from.
        frame = cameras.canonical(model.cloud.center, model.cloud.scale) if model.cloud else unknown(len(cameras))
        self.arrays["images"].append(model.views.images)
        self.arrays["cameras"].append(frame.matrices.astype(np.float32))
        columns = {**vars(views), "focal": cameras.focal}
        entry["views"] = [
            {
                "view": index,
                **{name: _number(values[index]) for name, values in columns.items()},
                "checksum": checksum,
            }
            for index, checksum in enumerate(model.views.checksums)
        ]

    def _write(self, entry: dict[str, Any]) -> None:
        self.lines.write(json.dumps(entry) + "\n")
        self.lines.flush()
        self.done.add(entry["model"])

    def _drop_half_a_line(self) -> None:
        """Cut off what a crash left of a line."""
        if self.path.is_file():
            data = self.path.read_bytes()
            if not data.endswith(b"\n"):
                self.path.write_bytes(data[: data.rfind(b"\n") + 1])


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
