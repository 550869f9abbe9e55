"""Step `inspect`: a sound store has nothing odd, and every fault that can be built into one is named."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from genren.inspect import inspect, lines
from tests.conftest import Terminal


@pytest.fixture
def store(tiny_store: Path, tmp_path: Path) -> Path:
    """A copy of a small, sound store."""
    return shutil.copytree(tiny_store, tmp_path / "processed" / "cabinet")


def test_a_sound_store(store: Path, tmp_path: Path):
    """Counts add up, clouds lie on their masks and look at the cameras; nothing is odd but what touches the border."""
    summary = inspect("cabinet", store, tmp_path / "out")

    assert sum(summary["models"].values()) == 12
    assert sum(summary["images"].values()) == 24
    assert summary["sources"] == ["procedural"]
    assert summary["coverage"]["points_on_the_mask"]["least"] > 0.98
    assert summary["coverage"]["near_points_facing_the_camera"]["median"] > 0.8
    assert not [sentence for sentence in summary["odd"] if "touches the border" not in sentence]
    assert lines(summary)[0] == "cabinet: split own, from procedural"
    assert (tmp_path / "out" / "summary.json").is_file()


def test_the_sheet_shows_images_beside_their_clouds(store: Path, tmp_path: Path):
    """In a model's row every picture's silhouette is found again in the drawing beside it."""
    inspect("cabinet", store, tmp_path / "out")
    sheet = np.asarray(Image.open(tmp_path / "out" / "sheet.png"))
    paper = (sheet == sheet[0, 0]).all(axis=2)
    size = 64

    assert sheet.shape == (8 * size, 8 * size, 3)
    for row in range(8):
        for column in range(2):
            image, cloud = (
                ~paper[row * size : (row + 1) * size, (2 * column + side) * size :][:, :size] for side in (0, 1)
            )
            assert image.any()
            assert (image & cloud).sum() / cloud.sum() > 0.95


def rewrite(name: str, change: Callable[[np.ndarray], None]) -> Callable[[Path], None]:
    """Change an array of a store in place."""

    def apply(folder: Path) -> None:
        array = np.load(folder / name)
        change(array)
        np.save(folder / name, array)

    return apply


def retable(name: str, change: Callable[[pd.DataFrame], pd.DataFrame | None]) -> Callable[[Path], None]:
    """Change a table of a store."""

    def apply(folder: Path) -> None:
        table = pd.read_csv(folder / name)
        changed = change(table)
        (table if changed is None else changed).to_csv(folder / name, index=False)

    return apply


def set_rows(array: np.ndarray, rows: slice, value: float) -> None:
    """Fill rows."""
    array[rows] = value


def other_split(table: pd.DataFrame) -> None:
    """Put the first row into a split of its own."""
    table.loc[0, "split"] = "val" if table["split"][1] != "val" else "test"


def one_checksum(table: pd.DataFrame) -> None:
    """Give the last row the first one's file."""
    table.loc[len(table) - 1, "checksum"] = table["checksum"][0]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (rewrite("images.npy", lambda a: set_rows(a, slice(3), 0)), "3 images have no foreground"),
        (rewrite("images.npy", lambda a: set_rows(a, slice(2), 255)), "2 images are opaque all over"),
        (rewrite("cameras.npy", lambda a: a[:, :, 3].__imul__(1 / 1.75)), "under 90% of their cloud on the mask"),
        (rewrite("cameras.npy", lambda a: a[:, 0].__imul__(-1)), "under 90% of their cloud on the mask"),
        (rewrite("normals.npy", lambda a: a.__imul__(-1)), "normals may point inward"),
        (rewrite("normals.npy", lambda a: a[0].__imul__(2)), "1 clouds have normals that are not of unit length"),
        (rewrite("normals.npy", lambda a: set_rows(a, slice(1), np.nan)), "1 clouds have normals"),
        (rewrite("points.npy", lambda a: a[1].__imul__(0.5)), "1 clouds do not fill the unit box"),
        (retable("views.csv", other_split), "models are in two splits"),
        (retable("views.csv", one_checksum), "2 files are the image of several models"),
        (retable("models.csv", one_checksum), "2 files are the cloud of several models"),
        (retable("models.csv", lambda t: t.assign(design="one")), "1 designs are in two splits (one)"),
        (
            retable("views.csv", lambda t: t.assign(model=t["model"].replace(t["model"][0], "x"))),
            "images and no cloud (x)",
        ),
    ],
)
def test_faults_are_named(fault: Callable[[Path], None], words: str, store: Path, tmp_path: Path):
    """Empty and opaque images, wrong cameras, normals, boxes and splits, files used twice."""
    fault(store)

    assert any(words in sentence for sentence in inspect("cabinet", store, tmp_path / "out")["odd"])


def test_models_of_two_categories_are_named(store: Path, tmp_path: Path):
    """One of ShapeNet's names in two stores is odd; a short name of one's own is not."""
    for category in ("cabinet", "table"):
        target = store.parent / category
        if category == "table":
            shutil.copytree(store, target)
        for name in ("views.csv", "models.csv"):
            table = pd.read_csv(target / name)
            names = {model: f"own-{index}" for index, model in enumerate(sorted(set(table["model"])))}
            names[min(names)] = "4a32519f44dc84aabafe26e2eb69ebf4"
            table.assign(model=table["model"].map(names)).to_csv(target / name, index=False)

    odd = inspect("cabinet", store, tmp_path / "out")["odd"]
    assert "1 models are in table too (4a32519f44dc84aabafe26e2eb69ebf4)" in odd


def test_unknown_cameras_are_no_fault(store: Path, tmp_path: Path):
    """Data without cameras are looked at all the same, and what depends on them is unknown."""
    (store / "cameras.npy").unlink()
    summary = inspect("cabinet", store, tmp_path / "out")

    assert summary["coverage"]["points_on_the_mask"] is None
    assert "points on the mask: unknown" in lines(summary)
    assert (tmp_path / "out" / "sheet.png").is_file()


def test_the_command(project: Path, genren: Terminal):
    """`genren inspect` prints the summary and says where the sheet is."""
    printed = genren("inspect", "--category", "cabinet")

    assert printed[0] == "cabinet: split own, from procedural"
    assert printed[1].startswith("models: 12 (train ")
    assert printed[-1].startswith(f"wrote {project}/work/inspect/cabinet/sheet.png and ")
