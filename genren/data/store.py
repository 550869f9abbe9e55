"""The packed store of one category, as `preprocess` writes it: arrays to map into memory, and tables.

- images.npy: (N, S, S, 4) uint8, straight alpha, RGB 0 where alpha is 0
- points.npy, normals.npy: (M, P, 3) float32, canonical frame: box centred, longest side 1
- cameras.npy: (N, 3, 4) float32, world to camera [R | t] in the canonical frame, x right, y up, looking along -z;
  not-a-number where unknown. For evaluation only
- views.csv: row i belongs to image i
- models.csv: row i belongs to cloud i; points are canonical = (raw - center) * scale
- store.json: settings, counts, and what was skipped and why
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from genren.data.splits import SPLITS
from genren.errors import InputError
from genren.files import read_json

if TYPE_CHECKING:
    from genren.geometry.camera import Camera

NUMBERS = ["azimuth", "elevation", "distance_ratio", "focal"]
VIEW_COLUMNS = ["model", "view", "split", *NUMBERS, "source", "checksum"]
MODEL_COLUMNS = ["model", "design", "split", "center_x", "center_y", "center_z", "scale", "source", "checksum"]
FILES = ("images.npy", "points.npy", "normals.npy", "views.csv", "models.csv", "store.json")


@dataclass(frozen=True)
class Store:
    """An open store. The arrays are mapped, read-only, and read from disk where they are indexed."""

    folder: Path
    images: np.ndarray  # (N, S, S, 4) uint8
    points: np.ndarray  # (M, P, 3) float32
    normals: np.ndarray  # (M, P, 3) float32
    views: pd.DataFrame  # N rows
    models: pd.DataFrame  # M rows
    info: dict[str, Any]  # store.json
    cameras: np.ndarray | None = None  # (N, 3, 4) float32

    @classmethod
    def open(cls, folder: Path) -> "Store":
        """Open the store in `folder`; a missing, incomplete or inconsistent one is an error."""
        remedy = "run preprocess for its category"
        missing = [name for name in FILES if not (folder / name).is_file()]
        if missing:
            raise InputError(f"{folder} is no packed store, {', '.join(missing)} missing; {remedy}")
        try:
            images, points, normals = (np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in FILES[:3])
            cameras = folder / "cameras.npy"
            matrices = np.load(cameras, mmap_mode="r", allow_pickle=False) if cameras.is_file() else None
            views = read_table(folder / "views.csv", VIEW_COLUMNS[:3])
            models = read_table(folder / "models.csv", MODEL_COLUMNS[:3])
        except (ValueError, EOFError) as error:
            raise InputError(f"{folder} is damaged ({error}); {remedy} again") from None
        if len(views) != len(images) or not len(models) == len(points) == len(normals):
            raise InputError(
                f"{folder} has {len(images)} images for {len(views)} views and {len(points)} clouds for "
                f"{len(models)} models; {remedy} again"
            )
        if matrices is not None and matrices.shape != (len(images), 3, 4):
            raise InputError(f"{folder} has {len(images)} images and cameras {matrices.shape}; {remedy} again")
        return cls(folder, images, points, normals, views, models, read_json(folder / "store.json"), matrices)

    def images_of(self, split: str) -> np.ndarray:
        """Indices of the images of a split, ascending."""
        return _rows(self.views, split)

    def clouds_of(self, split: str) -> np.ndarray:
        """Indices of the clouds, and so of the models, of a split, ascending."""
        return _rows(self.models, split)

    def camera(self, rows: np.ndarray) -> "Camera":
        """Ground-truth cameras of images, in the frame of the clouds; a store without them is an error."""
        from genren.data.cameras import to_camera

        if self.cameras is None or not np.isfinite(self.cameras[rows]).all():
            raise InputError(f"{self.folder} does not know the cameras of all images that were asked for")
        return to_camera(self.cameras[rows], self.views["focal"].to_numpy(float)[rows])


class RowWriter:
    """Writes an .npy file row by row, so that a category need not fit into memory; goes on after `keep` rows."""

    def __init__(self, path: Path, row_shape: tuple[int, ...], dtype: type, keep: int = 0) -> None:
        self.row_shape, self.dtype, self.count = row_shape, np.dtype(dtype), keep
        self.file = path.open("r+b" if keep else "wb")
        self._write_header()
        if keep:
            end = self.file.tell() + keep * self.dtype.itemsize * math.prod(row_shape)
            if path.stat().st_size < end:
                raise InputError(f"{path} is shorter than the {keep} rows that were written; delete its folder")
            self.file.truncate(end)
            self.file.seek(end)

    def append(self, rows: np.ndarray) -> None:
        """Append rows (N, *row_shape)."""
        if rows.shape[1:] != self.row_shape or rows.dtype != self.dtype:
            raise ValueError(f"rows must be {self.row_shape} {self.dtype}, got {rows.shape[1:]} {rows.dtype}")
        self.file.write(np.ascontiguousarray(rows).data)
        self.count += len(rows)

    def _write_header(self) -> None:
        # NumPy pads the header so that it keeps its length while the first axis grows.
        header = {"descr": self.dtype.str, "fortran_order": False, "shape": (self.count, *self.row_shape)}
        np.lib.format.write_array_header_1_0(self.file, header)

    def __enter__(self) -> "RowWriter":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def flush(self) -> None:
        """Hand everything over to the system: it survives this process."""
        self.file.flush()

    def close(self) -> None:
        """End the file with a header that says how many rows there are."""
        self.file.seek(0)
        self._write_header()
        self.file.close()


def read_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """Read a CSV table whose text columns stay text: a model may be called 1e5 or NA."""
    text = dict.fromkeys(("model", "design", "split", "source", "parts", "list", "checksum"), str)
    unknown = {name: [""] for name in NUMBERS}
    try:
        table = pd.read_csv(path, dtype=text, keep_default_na=False, na_values=unknown)
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is no table ({error}); expected the columns {', '.join(columns)}") from None
    absent = [name for name in columns if name not in table]
    if absent:
        raise InputError(f"{path} has no column {absent[0]}; expected {', '.join(columns)}")
    return table


def _rows(table: pd.DataFrame, split: str) -> np.ndarray:
    if split not in SPLITS:
        raise ValueError(f"split must be one of {', '.join(SPLITS)}, got {split!r}")
    return np.flatnonzero(table["split"] == split)
