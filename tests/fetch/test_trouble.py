"""Real sources with something wrong: models twice, halves missing, files damaged, a fetch cut short."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genren.data import r2n2
from genren.data.store import read_table
from genren.errors import InputError
from genren.fetch import fetch
from tests.conftest import contents
from tests.fetch import world as formats
from tests.fetch.server import Server
from tests.fetch.world import NO_LISTS, VIEWS, World, settings

pytestmark = pytest.mark.usefixtures("root")


def test_a_model_in_two_of_its_splits_is_an_error(world: World, tmp_path: Path):
    """A list that would train on what it tests is not followed."""
    archive = formats.nmr_zip(world, tmp_path / "N.zip", {"NMR_Dataset/02933112/more/softras_test.lst": b"0a1b\n"})

    with pytest.raises(InputError, match=r"in two splits|lists \d models of cabinet"):
        fetch("cabinet", settings(source="nmr", nmr={"archive": str(archive)}), tmp_path / "raw")


def test_clouds_of_other_renders_are_noticed(world: World, tmp_path: Path):
    """Metadata that do not belong to the clouds leave them askew: the model is skipped, with the reason."""
    data = formats.pixel2mesh_folder(world, tmp_path / "p2m", "current")
    folder = data / "ShapeNetP2M" / "02933112" / "1c2d" / "rendering"
    lines = (folder / r2n2.METADATA).read_text().splitlines()
    (folder / r2n2.METADATA).write_text("\n".join(lines[::-1]) + "\n")
    fetch("cabinet", settings(source="pixel2mesh", pixel2mesh={"data": str(data), **NO_LISTS}), tmp_path / "raw")

    skipped = read_table(tmp_path / "raw" / "skipped.csv", ["file", "reason"])
    assert skipped["file"].tolist() == ["1c2d"]
    assert "the metadata belong to other renders" in skipped["reason"][0]


def test_a_missing_half_of_the_original_layout_is_named(world: World, tmp_path: Path):
    """No pictures, no clouds, no normals: each says where it looked."""
    images, clouds = formats.genren_folders(world, tmp_path / "data", True)
    p = settings(source="genren", genren={"images": str(images), "clouds": str(clouds)})
    (clouds / "0a1b.normals.pt").unlink()
    fetch("cabinet", p, tmp_path / "raw")
    skipped = read_table(tmp_path / "raw" / "skipped.csv", ["file", "reason"])

    assert "0a1b.normals.pt does not exist" in skipped["reason"][0]
    for path in clouds.iterdir():
        path.unlink()
    with pytest.raises(InputError, match=r"shapes holds no NAME\.PC\.pt"):
        fetch("cabinet", p, tmp_path / "raw")


def test_a_model_of_two_categories_is_in_one(world: World, tmp_path: Path):
    """What is listed under two synsets belongs to the smaller, whichever is fetched."""
    archive = formats.r2n2_tgz(world, tmp_path / "R.tgz")
    with_twin = tmp_path / "twin"
    for synset, names in {"02933112": ["0a1b", "2e3f"], "02958343": ["0a1b", "9f9f"]}.items():
        for name in names:
            source = world.rendering(name if name != "9f9f" else "1c2d")
            for file in source.iterdir():
                target = with_twin / "ShapeNetRendering" / synset / name / "rendering" / file.name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.read_bytes())
    data = tmp_path / "p2m"
    for synset in ("02933112", "02958343"):
        for name in ("0a1b", "9f9f", "2e3f"):
            data.mkdir(exist_ok=True)
            original = name if name != "9f9f" else "1c2d"
            (data / f"{synset}_{name}_00.dat").write_bytes(
                formats.python2_pickle(formats.dat_table(world, original, 0))
            )
    p = settings(source="r2n2", r2n2={"renders": str(with_twin)}, pixel2mesh={"data": str(data), **NO_LISTS})
    fetch("cabinet", p, tmp_path / "cabinet")
    summary = fetch("car", p, tmp_path / "car")

    models = [set(read_table(tmp_path / name / "models.csv", ["model"])["model"]) for name in ("cabinet", "car")]
    assert models == [{"0a1b", "2e3f"}, {"9f9f"}]
    assert "1 models belong to another category too" in summary["mended"][0]
    assert archive.is_file()


def damaged(name: str, data: bytes) -> Callable[[Path], None]:
    """Overwrite a model's file."""
    return lambda folder: (folder / name).write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (damaged("00.dat", b"cposix\nsystem\n(S'true'\ntR."), "the name posix.system"),
        (damaged("00.dat", formats.python2_pickle(np.zeros((4, 5)))), "no array"),
        (damaged("rendering_metadata.txt", b"1 2 3\n"), "line 1 is '1 2 3'"),
        (lambda folder: (folder / "02.png").unlink(), "expected"),
    ],
)
def test_a_damaged_model_costs_itself_alone(damage: Any, words: str, world: World, tmp_path: Path):
    """A hostile or broken file is named in skipped.csv, and the other models are there."""
    data = formats.pixel2mesh_folder(world, tmp_path / "p2m", "current")
    damage(data / "ShapeNetP2M" / "02933112" / "1c2d" / "rendering")
    p = settings(source="pixel2mesh", pixel2mesh={"data": str(data), **NO_LISTS})
    summary = fetch("cabinet", p, tmp_path / "raw")

    assert (summary["models"], summary["skipped"]) == (2, 1)
    assert words in read_table(tmp_path / "raw" / "skipped.csv", ["file", "reason"])["reason"][0]


def test_an_interrupted_fetch_goes_on(world: World, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch):
    """Models that were there before the interruption are not asked for again, and the result is that of one run."""
    server.files["/NMR_Dataset.zip"] = formats.nmr_zip(world, tmp_path / "N.zip").read_bytes()
    p = settings(
        source="nmr", nmr={"archive": f"{server.url}/NMR_Dataset.zip"}, download={"parallel": 1, "folder": "d"}
    )
    fetch("cabinet", p, tmp_path / "whole")
    requests = len(server.requests)
    real = Image.fromarray
    calls = []

    def interrupted(*arguments: Any) -> Image.Image:
        calls.append(1)
        if len(calls) == 2 * VIEWS:
            raise KeyboardInterrupt
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr("genren.fetch.sources.nmr.Image.fromarray", interrupted)
        with pytest.raises(KeyboardInterrupt):
            fetch("cabinet", p, tmp_path / "resumed")
    assert not (tmp_path / "resumed").exists()
    before = len(server.requests)
    fetch("cabinet", p, tmp_path / "resumed")

    assert contents(tmp_path / "resumed") == contents(tmp_path / "whole")
    assert len(server.requests) - before < requests
