"""Writing GLB files."""

from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from genren.geometry.color import srgb_to_linear
from genren.geometry.glb import save_glb, save_mesh
from genren.geometry.mesh import TexturedMesh
from genren.geometry.meshfile import load_mesh

SPHERE = trimesh.creation.icosphere(subdivisions=1)
VERTICES, FACES = np.asarray(SPHERE.vertices), np.asarray(SPHERE.faces)


def test_a_coloured_mesh_survives_the_round_trip(tmp_path: Path) -> None:
    """Vertices and faces keep their order, and all 256 levels of an sRGB colour come back exactly."""
    colors = np.random.default_rng(0).integers(0, 256, (len(VERTICES), 3), dtype=np.uint8)
    save_glb(tmp_path / "a.glb", VERTICES, FACES, vertex_colors=colors)
    mesh = load_mesh(tmp_path / "a.glb")

    np.testing.assert_allclose(mesh.vertices, VERTICES, atol=1e-6)
    np.testing.assert_array_equal(mesh.faces, FACES)
    np.testing.assert_allclose(mesh.face_colors, srgb_to_linear(colors / 255)[FACES], atol=1e-6)


def test_float_colours_equal_bytes(tmp_path: Path) -> None:
    """Colours in [0, 1] mean the same as colours in 0 to 255."""
    colors = np.full((len(VERTICES), 3), 51, dtype=np.uint8)
    save_glb(tmp_path / "a.glb", VERTICES, FACES, vertex_colors=colors)
    save_glb(tmp_path / "b.glb", VERTICES, FACES, vertex_colors=colors / 255)

    assert (tmp_path / "a.glb").read_bytes() == (tmp_path / "b.glb").read_bytes()


@pytest.mark.parametrize("per_corner", [True, False])
def test_a_textured_mesh_survives_the_round_trip(tmp_path: Path, per_corner: bool) -> None:
    """Texture and coordinates come back, v up on both sides, whether given per vertex or per corner."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (4, 6, 3), dtype=np.uint8)
    uvs = rng.random((len(FACES), 3, 2)) if per_corner else rng.random((len(VERTICES), 2))
    save_glb(tmp_path / "a.glb", VERTICES, FACES, uvs=uvs, texture=Image.fromarray(pixels))
    mesh = load_mesh(tmp_path / "a.glb")

    np.testing.assert_array_equal(mesh.textures[0], pixels)
    np.testing.assert_allclose(mesh.face_uvs, uvs if per_corner else uvs[FACES], atol=1e-6)
    np.testing.assert_allclose(mesh.vertices[mesh.faces], VERTICES[FACES], atol=1e-6)


def test_several_textures_survive_the_round_trip(tmp_path: Path) -> None:
    """Faces with different textures, and without, keep their own picture."""
    pictures = tuple(np.full((2, 2, 3), level, dtype=np.uint8) for level in (10, 200))
    texture_of = np.arange(len(FACES)) % 3 - 1
    colors = np.ones((len(FACES), 3, 3), dtype=np.float32)
    mesh = TexturedMesh(VERTICES, FACES, colors, np.zeros((len(FACES), 3, 2), np.float32), texture_of, pictures)
    save_mesh(tmp_path / "a.glb", mesh)
    read = load_mesh(tmp_path / "a.glb")

    order = np.argsort(texture_of, kind="stable")
    np.testing.assert_array_equal(read.face_texture, texture_of[order])
    np.testing.assert_array_equal([picture[0, 0, 0] for picture in read.textures], [10, 200])
    np.testing.assert_allclose(read.vertices[read.faces], VERTICES[FACES][order], atol=1e-6)


def test_another_reader_agrees(tmp_path: Path) -> None:
    """Trimesh by itself reads the same surface with its outside out."""
    save_glb(tmp_path / "a.glb", VERTICES, FACES)
    read = trimesh.load(tmp_path / "a.glb", force="mesh")

    assert read.is_watertight
    assert read.volume == pytest.approx(SPHERE.volume, rel=1e-5)


def test_a_failed_write_keeps_the_old_file(tmp_path: Path) -> None:
    """What cannot be written leaves the file that was there, and no temporary one."""
    (tmp_path / "a.glb").write_bytes(b"old")
    with pytest.raises(IndexError):
        save_glb(tmp_path / "a.glb", VERTICES, FACES + len(VERTICES))

    assert [tmp_path / "a.glb"] == list(tmp_path.iterdir())
    assert (tmp_path / "a.glb").read_bytes() == b"old"
