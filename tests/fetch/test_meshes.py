"""Models that come as mesh files, and those of the generator."""

from pathlib import Path

import numpy as np
import pytest

from genren.errors import InputError
from genren.fetch.sources import meshes, procedural
from genren.fetch.sources.offer import Model
from genren.geometry.glb import save_glb
from genren.geometry.meshfile import load_mesh
from tests.fetch.test_fetch import params

TRIANGLE = (np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]]))


def offered(root: Path, category: str) -> list[Model]:
    """The models that a folder of meshes offers."""
    return meshes.offer(category, params(root)).models


def folder_of(root: Path, *names: str) -> Path:
    """A source folder whose chair category holds mesh files of these names."""
    (root / "chair").mkdir()
    for name in names:
        if name.endswith(".glb"):
            save_glb(root / "chair" / name, *TRIANGLE)
        else:
            (root / "chair" / name).write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n0 1 0\n3 0 1 2\n")
    return root


def test_files_are_sorted_and_others_ignored(tmp_path: Path) -> None:
    """All known suffixes in any case, in order of name; notes and folders are no models."""
    folder_of(tmp_path, "b.glb", "a.OFF", "notes.txt")
    (tmp_path / "chair" / "c.glb").mkdir()

    assert [model.source for model in offered(tmp_path, "chair")] == ["a.OFF", "b.glb"]


def test_names_are_safe_and_unique(tmp_path: Path) -> None:
    """Spaces, brackets and dots cannot leave the folder, and no two models share one, not even by case."""
    folder_of(tmp_path, "my chair (1).glb", "Chair.glb", "chair.off", "..glb", "...off", "Ünder.glb")
    names = [model.name for model in offered(tmp_path, "chair")]

    assert all(name.replace("-", "").replace("_", "").isalnum() and name.isascii() for name in names)
    assert len(names) == len({name.lower() for name in names}) == 6


def test_whatever_the_format_a_model_writes_glb(tmp_path: Path) -> None:
    """A GLB is copied byte for byte; another format is converted, surface and colour the same."""
    folder_of(tmp_path, "a.glb", "b.off")
    for name, file in {"a.glb": "a.glb", "b.glb": "b.off"}.items():
        meshes.converter(tmp_path / "chair" / file)(tmp_path / "out" / name)
    original, converted = load_mesh(tmp_path / "chair" / "b.off"), load_mesh(tmp_path / "out" / "b.glb")

    assert (tmp_path / "chair" / "a.glb").read_bytes() == (tmp_path / "out" / "a.glb").read_bytes()
    np.testing.assert_array_equal(converted.vertices[converted.faces], original.vertices[original.faces])
    np.testing.assert_array_equal(converted.face_colors, original.face_colors)


def test_a_broken_model_is_found_on_writing(tmp_path: Path) -> None:
    """Listing opens no file, so a broken one costs only itself; it leaves nothing behind."""
    folder_of(tmp_path, "a.glb")
    (tmp_path / "chair" / "a.glb").write_bytes(b"glTF")
    (model,) = offered(tmp_path, "chair")

    with pytest.raises(InputError, match="GLB"):
        model.write(tmp_path / "out")
    assert not list(tmp_path.glob("out/**/*.glb"))


def test_a_missing_folder_an_empty_one_and_an_unknown_category_differ(tmp_path: Path) -> None:
    """Each message says what was found and what was expected."""
    with pytest.raises(InputError, match=r"chair does not exist; expected a folder of .* \(.glb, .gltf, .obj, .off\)"):
        offered(tmp_path, "chair")
    folder_of(tmp_path, "notes.txt")
    with pytest.raises(InputError, match=r"no mesh file; expected at least one of \.glb"):
        offered(tmp_path, "chair")
    with pytest.raises(InputError, match="known are airplane"):
        offered(tmp_path, "cabinte")


@pytest.mark.parametrize(
    ("stem", "design"),
    [
        ("counter_A_backsplash", "counter_A"),
        ("kitchencabinet_corner_half", "kitchencabinet_corner"),
        ("chair_wood", "chair"),
        ("couch_pillows", "couch"),
        ("BookCaseLargeBooks", "BookCaseLarge"),
        ("Bookcase_Books", "Bookcase"),
        ("kart-oobi", "kart"),
        ("vehicle-truck-red", "vehicle-truck"),
        ("Drawer_1", "Drawer"),
        ("Drawer_1_wood", "Drawer"),
        ("chair_2", "chair_2"),
        ("Sofa2", "Sofa2"),
        ("Books", "Books"),
        ("sedan-sports", "sedan-sports"),
    ],
)
def test_variants_belong_to_a_design(stem: str, design: str) -> None:
    """Marks of variants are dropped, also two in a row; numbers only where the file without one is there too."""
    assert design == meshes.design_of(stem, {"Drawer", stem})


def test_designs_of_a_table_come_first(tmp_path: Path) -> None:
    """designs.csv decides for the files it lists, the names for the others."""
    folder_of(tmp_path, "a.glb", "b.glb", "c_wood.glb")
    (tmp_path / "chair" / "designs.csv").write_text("file,design\na.glb,one\nb.glb,one\n")

    assert [model.design for model in offered(tmp_path, "chair")] == ["one", "one", "c"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,design\na.glb,one\n", "columns file,design"),
        ("file,design\nx.glb,one\n", "'x.glb', which is no mesh file"),
    ],
)
def test_a_wrong_table_is_an_error(tmp_path: Path, text: str, words: str) -> None:
    """A table with other columns or with files that are not there is refused."""
    folder_of(tmp_path, "a.glb")
    (tmp_path / "chair" / "designs.csv").write_text(text)

    with pytest.raises(InputError, match=words):
        offered(tmp_path, "chair")


def test_families_of_the_real_models_stay_together(shared: Path) -> None:
    """The variants that the README of the CC0 models names fall into one design each, and nothing else does."""
    shared_designs = {}
    for category in ("cabinet", "car", "chair", "sofa"):
        designs: dict[str, list[str]] = {}
        for model in offered(shared / "cc0", category):
            designs.setdefault(model.design, []).append(model.source)
        shared_designs[category] = {len(designs): sorted(len(files) for files in designs.values() if len(files) > 1)}

    assert shared_designs == {
        "cabinet": {33: [2] * 11},
        "car": {44: [4, 5]},
        "chair": {20: [2] * 3},
        "sofa": {15: [2] * 2},
    }


def test_procedural_models_are_their_own_designs(tmp_path: Path) -> None:
    """The generator's models load, repeat byte for byte, and differ from each other."""
    first, second = procedural.offer("cabinet", params(tmp_path)).models
    for name, model in {"a": first, "b": first, "c": second}.items():
        model.write(tmp_path / name)
    glbs = {path.parents[3].name: path for path in tmp_path.glob("*/meshes/*/*/model.glb")}

    assert first.design != second.design
    assert glbs["a"].read_bytes() == glbs["b"].read_bytes() != glbs["c"].read_bytes()
    assert len(load_mesh(glbs["a"]).faces) > 12
