"""The packed store."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from genren.data.store import FILES, RowWriter, Store
from genren.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store of three models with two views each; one model has a name that looks like a number."""
    rng = np.random.default_rng(0)
    np.save(tmp_path / "images.npy", rng.integers(0, 256, (6, 8, 8, 4), dtype=np.uint8))
    for name in ("points", "normals"):
        np.save(tmp_path / f"{name}.npy", rng.random((3, 10, 3)).astype(np.float32))
    models, splits = ["1e5", "NA", "c"], ["test", "train", "val"]
    frame = {"center_x": 0, "center_y": 0, "center_z": 0, "scale": 1}
    pd.DataFrame({"model": models, "design": models, "split": splits, **frame}).to_csv(tmp_path / "models.csv")
    camera = {"azimuth": 0, "elevation": 0, "distance_ratio": 1}
    views = pd.DataFrame({"model": np.repeat(models, 2), "view": [0, 1] * 3, "split": np.repeat(splits, 2), **camera})
    views.to_csv(tmp_path / "views.csv")
    (tmp_path / "store.json").write_text(json.dumps({"category": "chair"}))
    return tmp_path


def test_a_store_opens_without_reading_its_arrays(folder: Path) -> None:
    """Arrays are mapped read-only, tables keep odd names as text, and store.json is there."""
    store = Store.open(folder)

    assert all(isinstance(array, np.memmap) for array in (store.images, store.points, store.normals))
    assert not store.images.flags.writeable
    assert store.models["model"].tolist() == ["1e5", "NA", "c"]
    assert store.info == {"category": "chair"}


def test_indices_of_a_split(folder: Path) -> None:
    """Images and clouds of a split are found by row."""
    store = Store.open(folder)

    np.testing.assert_array_equal(store.images_of("train"), [2, 3])
    np.testing.assert_array_equal(store.clouds_of("test"), [0])
    with pytest.raises(ValueError, match="one of train, val, test"):
        store.images_of("tset")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """An incomplete store says what is missing and to run preprocess."""
    (folder / name).unlink()

    with pytest.raises(InputError, match=f"{name} missing; run preprocess"):
        Store.open(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_damaged_file_is_an_error(folder: Path, name: str) -> None:
    """A file cut short is never opened as if it were whole."""
    data = (folder / name).read_bytes()
    (folder / name).write_bytes(data[: len(data) // 3])

    with pytest.raises(InputError):
        Store.open(folder)


def test_a_store_that_does_not_add_up_is_an_error(folder: Path) -> None:
    """One image fewer than rows in the table is noticed."""
    np.save(folder / "images.npy", np.zeros((5, 8, 8, 4), dtype=np.uint8))

    with pytest.raises(InputError, match="5 images for 6 views"):
        Store.open(folder)


def test_a_file_grows_by_rows(tmp_path: Path) -> None:
    """Rows appended one after the other make the file that saving them at once makes, also past a power of ten."""
    rows = np.arange(1200 * 6, dtype=np.float32).reshape(1200, 2, 3)
    with RowWriter(tmp_path / "a.npy", (2, 3), np.float32) as writer:
        for start in range(0, 1200, 7):
            writer.append(rows[start : start + 7])

    np.testing.assert_array_equal(np.load(tmp_path / "a.npy"), rows)


def test_rows_of_another_shape_are_refused(tmp_path: Path) -> None:
    """A writer of (2, 3) rows takes neither other shapes nor other types."""
    with RowWriter(tmp_path / "a.npy", (2, 3), np.float32) as writer:
        for rows in (np.zeros((1, 3, 2), np.float32), np.zeros((1, 2, 3))):
            with pytest.raises(ValueError, match="rows must be"):
                writer.append(rows)
