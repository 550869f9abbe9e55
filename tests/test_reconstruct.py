"""`genren reconstruct`: images to meshes and re-renders, and every bad image refused."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genren import paths
from genren.data.store import Store
from genren.geometry.meshfile import load_mesh
from tests.conftest import Terminal, contents


def test_reconstruct_makes_a_mesh_and_a_render_per_image(image: Path, genren: Terminal, tmp_path: Path):
    """An image of any size becomes a coloured mesh inside the canonical box's reach, and an RGBA re-render."""
    larger = tmp_path / "larger.png"
    with Image.open(image) as picture:
        picture.resize((100, 100), Image.Resampling.NEAREST).save(larger)

    lines = genren("reconstruct", image, larger, "--category", "cabinet", "--out", tmp_path / "out")

    assert lines == [str(tmp_path / "out" / name) for name in ("photo.glb", "larger.glb")]
    assert sorted(contents(tmp_path / "out")) == ["larger.glb", "larger.png", "photo.glb", "photo.png"]
    mesh = load_mesh(tmp_path / "out" / "photo.glb")
    assert len(mesh.faces) == 80
    assert 0 < np.ptp(mesh.vertices, axis=0).max() < 3
    assert np.ptp(mesh.face_colors) > 0
    with Image.open(tmp_path / "out" / "photo.png") as render:
        assert (render.mode, render.size) == ("RGBA", (32, 32))


def test_an_image_is_reconstructed_alike_in_any_company(image: Path, genren: Terminal, tmp_path: Path):
    """What is beside it in the batch does not change an image's mesh."""
    store = Store.open(paths.processed("cabinet"))
    Image.fromarray(store.images[store.images_of("train")[3]], "RGBA").save(tmp_path / "other.png")

    genren("reconstruct", image, "--category", "cabinet", "--out", tmp_path / "alone")
    genren("reconstruct", tmp_path / "other.png", image, "--category", "cabinet", "--out", tmp_path / "both")

    alone, both = (load_mesh(tmp_path / folder / "photo.glb") for folder in ("alone", "both"))
    other = load_mesh(tmp_path / "both" / "other.glb")
    away = np.abs(alone.vertices - other.vertices).max()
    np.testing.assert_allclose(alone.vertices, both.vertices, atol=away / 20)


def spoil(image: Path, how: str) -> Path:
    """A damaged variant of an image."""
    path = image.with_name(f"{how}.png")
    if how == "opaque":
        with Image.open(image) as picture:
            picture.convert("RGB").save(path)
    elif how == "cut":
        path.write_bytes(image.read_bytes()[:-60])
    elif how == "oblong":
        with Image.open(image) as picture:
            picture.crop((0, 0, 20, 30)).save(path)
    elif how == "text":
        path.write_text("no picture")
    return path


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("opaque", "has the mode RGB, so no usable alpha; expected an RGBA PNG, square"),
        ("cut", "cannot be decoded"),
        ("oblong", "is 20x30 pixels; expected an RGBA PNG, square"),
        ("text", "cannot be decoded"),
        ("missing", "does not exist; expected an RGBA PNG, square"),
    ],
)
def test_a_bad_image_leaves_the_folder_as_it_was(
    how: str, expected: str, image: Path, genren: Terminal, tmp_path: Path
):
    """One bad image among good ones is named, and nothing of the batch is written over what was there."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "photo.glb").write_text("old")
    bad = spoil(image, how)

    line = genren.refusal("reconstruct", image, bad, "--category", "cabinet", "--out", out)

    assert line.startswith(f"Error: {bad} {expected}")
    assert contents(out) == {"photo.glb": b"old"}


def test_images_of_one_name_are_refused(image: Path, genren: Terminal, tmp_path: Path):
    """Their results would overwrite each other."""
    (tmp_path / "b").mkdir()
    shutil.copy(image, tmp_path / "b" / "photo.png")

    line = genren.refusal("reconstruct", image, tmp_path / "b" / "photo.png", "--category", "cabinet", "--out", "out")

    assert line.startswith("Error: several images are named photo;")
    assert not Path("out").exists()


@pytest.mark.parametrize("command", ["reconstruct", "generate"])
def test_a_file_is_no_folder_to_write_into(command: str, image: Path, genren: Terminal):
    """`--out` names a folder; a file there is refused and stays whole."""
    before = image.read_bytes()

    code, _, err = genren.run(command, *([image] if command == "reconstruct" else []), "--category", "cabinet",
                              "--out", image)  # fmt: skip

    assert code == 2
    assert "is a file" in err.splitlines()[-1]
    assert image.read_bytes() == before
