"""Reading GLB, glTF, OBJ and OFF."""

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from genren.errors import InputError
from genren.geometry.color import linear_to_srgb, srgb_to_linear
from genren.geometry.glb import save_glb
from genren.geometry.meshfile import GREY, load_mesh
from tests.geometry.gltf import SQUARE, SQUARE_FACES, data_uri, document, png_bytes, textured, write

OBJ_SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
PIXELS = [[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [40, 40, 40]]]  # rows from the top


def corner_colors(path: Path) -> np.ndarray:
    """Linear colours of the first face's corners."""
    return load_mesh(path).face_colors[0]


@pytest.mark.parametrize("suffix", [".gltf", ".glb"])
def test_a_flat_material_keeps_its_exact_linear_colour(tmp_path: Path, suffix: str) -> None:
    """A dark baseColorFactor is not rounded to 8 bits of linear light, as trimesh does."""
    factor = [0.003, 0.25, 1.0, 1.0]
    path = write(tmp_path / f"a{suffix}", document(material={"pbrMetallicRoughness": {"baseColorFactor": factor}}))

    np.testing.assert_allclose(corner_colors(path), [factor[:3]] * 3, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "uint16", "uint8"])
@pytest.mark.parametrize("material", [None, {"pbrMetallicRoughness": {"baseColorFactor": [0.5, 1, 1, 1]}}])
def test_vertex_colours_are_linear_and_multiply_the_material(
    tmp_path: Path, dtype: str, material: dict[str, Any] | None
) -> None:
    """COLOR_0 of every component type is read as linear light, with and without a material."""
    largest = 1 if dtype == "float32" else np.iinfo(dtype).max
    colors = np.array([[1, 0, 0, 1], [0, 1, 0, 1], [0.2, 0.2, 1, 1], [0, 0, 0, 1]])
    path = write(tmp_path / "a.gltf", document(material=material, COLOR_0=(colors * largest).astype(dtype)))

    expected = colors[:3, :3] * ([0.5, 1, 1] if material else 1)
    np.testing.assert_allclose(corner_colors(path), expected, atol=1e-6)


def test_a_texture_comes_with_its_picture_and_upward_coordinates(tmp_path: Path) -> None:
    """The top left texel belongs to u = 0, v = 1, and the factor multiplies the texture."""
    mesh = load_mesh(write(tmp_path / "a.gltf", textured(PIXELS, (0.5, 0.5, 0.5, 1))))

    np.testing.assert_array_equal(mesh.textures[0], PIXELS)
    np.testing.assert_array_equal(mesh.face_texture, [0, 0])
    np.testing.assert_array_equal(mesh.face_uvs[1], [[0, 0], [1, 1], [0, 1]])
    np.testing.assert_allclose(mesh.face_colors, 0.5)


def test_what_has_no_colour_is_grey_but_an_empty_material_is_white(tmp_path: Path) -> None:
    """Only the lack of material and vertex colours makes a mesh grey; glTF's default factor is 1."""
    np.testing.assert_allclose(corner_colors(write(tmp_path / "a.gltf", document())), GREY)
    np.testing.assert_allclose(corner_colors(write(tmp_path / "b.gltf", document(material={}))), 1)


def test_node_transforms_apply_and_mirrors_keep_the_outside_out(tmp_path: Path) -> None:
    """Translation and scale reach the vertices; under a mirroring scale the face normal still points along +z."""
    mesh = load_mesh(write(tmp_path / "a.gltf", document(node={"translation": [5, 0, 0], "scale": [-2, 1, 1]})))

    np.testing.assert_allclose(mesh.vertices[:, 0], [5, 3, 3, 5])
    a, b, c = mesh.vertices[mesh.faces[0]]
    assert np.cross(b - a, c - a)[2] > 0


def test_a_mesh_in_two_nodes_is_there_twice(tmp_path: Path) -> None:
    """All instances are joined, and the texture they share is kept once."""
    header = textured(PIXELS)
    header["nodes"].append({"mesh": 0, "translation": [0, 0, 1]})
    header["scenes"][0]["nodes"] = [0, 1]
    mesh = load_mesh(write(tmp_path / "a.gltf", header))

    assert (len(mesh.vertices), len(mesh.faces), len(mesh.textures)) == (8, 4, 1)
    np.testing.assert_array_equal(np.unique(mesh.faces), np.arange(8))


def test_obj_colours_are_srgb(tmp_path: Path) -> None:
    """Kd of an OBJ material is a display value, so it is converted to linear light; no material at all is grey."""
    (tmp_path / "a.mtl").write_text("newmtl red\nKd 0.5 0.25 1\n")
    (tmp_path / "a.obj").write_text(f"mtllib a.mtl\n{OBJ_SQUARE}usemtl red\nf 1 2 3 4\n")
    (tmp_path / "b.obj").write_text(f"# mtllib missing.mtl\n{OBJ_SQUARE}f 1 2 3\n")

    np.testing.assert_allclose(corner_colors(tmp_path / "a.obj")[0], srgb_to_linear([0.5, 0.25, 1]), atol=1e-6)
    np.testing.assert_allclose(corner_colors(tmp_path / "b.obj"), GREY)


def test_obj_textures_and_several_material_files(tmp_path: Path) -> None:
    """Every material of every file named is found, and v points up."""
    Image.fromarray(np.array(PIXELS, dtype=np.uint8)).save(tmp_path / "a b.png")
    (tmp_path / "a.mtl").write_text("newmtl plain\nKd 1 0 0\n")
    (tmp_path / "b.mtl").write_text("newmtl shown\nmap_Kd a b.png\n")
    faces = "usemtl shown\nf 1/1 2/2 3/3\nusemtl plain\nf 1/1 3/3 4/4\n"
    (tmp_path / "a.obj").write_text(f"mtllib a.mtl\nmtllib b.mtl\n{OBJ_SQUARE}{faces}")
    mesh = load_mesh(tmp_path / "a.obj")

    shown = int(np.flatnonzero(mesh.face_texture == 0)[0])
    np.testing.assert_array_equal(mesh.textures[0], PIXELS)
    np.testing.assert_array_equal(mesh.face_uvs[shown], [[0, 0], [1, 0], [1, 1]])
    np.testing.assert_allclose(mesh.face_colors[shown], 1)
    np.testing.assert_allclose(mesh.face_colors[1 - shown], [[1, 0, 0]] * 3)


def test_obj_vertex_colours(tmp_path: Path) -> None:
    """Colours behind an OBJ vertex are read as sRGB."""
    (tmp_path / "a.obj").write_text("v 0 0 0 1 0 0\nv 1 0 0 0 0.5 0\nv 1 1 0 0 0 1\nf 1 2 3\n")

    seen = linear_to_srgb(corner_colors(tmp_path / "a.obj"))
    np.testing.assert_allclose(seen, [[1, 0, 0], [0, 0.5, 0], [0, 0, 1]], atol=3e-3)


def test_off_is_geometry_alone(tmp_path: Path) -> None:
    """An OFF file with a quad gives two grey triangles."""
    (tmp_path / "a.off").write_text("OFF\n4 1 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n4 0 1 2 3\n")
    mesh = load_mesh(tmp_path / "a.off")

    assert (len(mesh.vertices), len(mesh.faces)) == (4, 2)
    np.testing.assert_allclose(mesh.face_colors, GREY)


def test_no_vertex_is_merged(tmp_path: Path) -> None:
    """Vertices in one place stay apart, as seams of texture need."""
    twice = [*SQUARE, *SQUARE]
    mesh = load_mesh(write(tmp_path / "a.gltf", document(twice, [*SQUARE_FACES, *np.add(SQUARE_FACES, 4)])))

    assert (len(mesh.vertices), len(mesh.faces)) == (8, 4)


def text(name: str, content: str) -> Callable[[Path], Path]:
    """A text file in a folder."""

    def make(folder: Path) -> Path:
        (folder / name).write_text(content)
        return folder / name

    return make


def gltf(**changes: Any) -> Callable[[Path], Path]:
    """A glTF file in a folder: a square with a texture, and what is changed of its header."""
    return lambda folder: write(folder / "a.gltf", {**textured(PIXELS), **changes})


def picture(uri: str) -> Callable[[Path], Path]:
    """A glTF file in a folder whose picture is elsewhere."""
    return gltf(images=[{"uri": uri}])


def square(*arguments: Any, **settings: Any) -> Callable[[Path], Path]:
    """A glTF file in a folder with these positions and faces."""
    return lambda folder: write(folder / "a.gltf", document(*arguments, **settings))


def truncated(folder: Path) -> Path:
    """A GLB file without its end."""
    path = write(folder / "a.glb", document())
    path.write_bytes(path.read_bytes()[:-100])
    return path


def broken_json(folder: Path) -> Path:
    """A glTF file that is no JSON, beside one that trimesh would read in its place."""
    write(folder / "model.gltf", document())
    return text("a.gltf", "{")(folder)


def linked(folder: Path) -> Path:
    """A glTF file whose picture is a link that leaves the folder."""
    (folder / "link.png").symlink_to(folder.parent / "outside.png")
    return picture("link.png")(folder)


def with_material(folder: Path) -> Path:
    """An OBJ file whose material's picture is outside of the folder."""
    (folder / "a.mtl").write_text("newmtl a\n  map_Kd ..\\outside.png\n")
    return text("a.obj", f"mtllib a.mtl\n{OBJ_SQUARE}usemtl a\nf 1 2 3\n")(folder)


OFF_SQUARE = "OFF\n4 2 0\n0 0 0\n1 0 0\n1 1 0\n0 1 0\n"
OUTSIDE = "outside of its folder"
BAD_FILES: dict[str, tuple[Callable[[Path], Path], str]] = {
    "missing": (lambda folder: folder / "a.glb", "does not exist"),
    "unknown suffix": (text("a.stl", "solid"), "known are .glb, .gltf, .obj, .off"),
    "truncated glb": (truncated, "truncated"),
    "no glb": (text("a.glb", "not a mesh but something of some length"), "does not begin like a GLB"),
    "broken json": (broken_json, "damaged"),
    "short buffer": (gltf(buffers=[{"uri": data_uri(b"1234"), "byteLength": 4}] * 3), "damaged"),
    "extension": (gltf(extensionsRequired=["KHR_draco_mesh_compression"]), "KHR_draco_mesh_compression"),
    "glTF 1": (gltf(asset={"version": "1.0"}), "is glTF 1.0"),
    "no faces": (text("a.off", "OFF\n3 0 0\n0 0 0\n1 0 0\n1 1 0\n"), "no faces"),
    "truncated off": (text("a.off", f"{OFF_SQUARE}3 0 1 2\n"), "truncated: 5 lines of 6"),
    "not a number": (square([*SQUARE[:3], [0, float("nan"), 0]]), "not finite"),
    "index": (square(faces=[0, 1, 4]), "index 4 where there are 4 vertices"),
    "no extent": (square([[1, 1, 1]] * 4), "one point"),
    "obj index": (text("a.obj", f"{OBJ_SQUARE}f 1 2 9\n"), "damaged"),
    "relative index": (text("a.obj", f"{OBJ_SQUARE}f -4 -3 -2\n"), "relative"),
    "no texture": (picture("missing.png"), "'missing.png', which is not in its folder"),
    "no picture": (picture(data_uri(b"text")), "cannot be decoded"),
    "parent": (picture("../outside.png"), OUTSIDE),
    "hidden parent": (picture("%2e%2e/outside.png"), OUTSIDE),
    "absolute": (lambda folder: picture(str(folder / "a.gltf"))(folder), OUTSIDE),
    "link": (linked, OUTSIDE),
    "obj outside": (text("a.obj", f"mtllib ../outside.png\n{OBJ_SQUARE}f 1 2 3\n"), OUTSIDE),
    "obj texture outside": (with_material, OUTSIDE),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_one_sentence(tmp_path: Path, kind: str) -> None:
    """Whatever is wrong with a file, the error is an InputError of one line that names the file and the fault."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "outside.png").write_bytes(png_bytes(PIXELS))
    make, words = BAD_FILES[kind]
    path = make(folder)

    with pytest.raises(InputError) as caught:
        load_mesh(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_every_cut_of_a_file_is_an_error(tmp_path: Path) -> None:
    """A GLB file cut anywhere is an InputError, never a mesh and never another exception."""
    save_glb(tmp_path / "whole.glb", np.array(SQUARE), np.reshape(SQUARE_FACES, (-1, 3)))
    data = (tmp_path / "whole.glb").read_bytes()
    for length in range(0, len(data), 41):
        (tmp_path / "cut.glb").write_bytes(data[:length])
        with pytest.raises(InputError):
            load_mesh(tmp_path / "cut.glb")


def test_all_real_models_load(shared: Path) -> None:
    """The 135 CC0 models come with the faces, vertices and textures that their manifest counts."""
    with (shared / "cc0" / "manifest.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 135
    for row in rows:
        mesh = load_mesh(shared / "cc0" / row["file"])
        counts = {"faces": len(mesh.faces), "vertices": len(mesh.vertices)}
        assert counts == {name: int(row[name]) for name in counts}, row["file"]
        assert bool(mesh.textures) == (row["textured"] == "true"), row["file"]
        assert 0 < mesh.face_colors.max() <= 1, row["file"]


def test_a_real_flat_material_is_brightened_by_the_srgb_curve(shared: Path) -> None:
    """Kenney's wood, stored as a linear factor, is the light brown of its pictures and not nearly black."""
    mesh = load_mesh(shared / "cc0" / "cabinet" / "kenney-furniture-pack__bookcaseClosed.glb")
    wood = linear_to_srgb(np.median(mesh.face_colors.reshape(-1, 3), axis=0))

    assert wood[0] > 0.7 > wood[1] > 0.45 > wood[2]
