"""Step `fetch`."""

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import trimesh

from genren.data import r2n2
from genren.data.clouds import cloud_file, read_cloud
from genren.errors import InputError
from genren.fetch import fetch
from genren.geometry.camera import r2n2_camera
from genren.geometry.glb import save_glb
from genren.params import FetchParams, load
from tests.conftest import ROOT


def params(folder: Path, **changes: object) -> FetchParams:
    """Small settings for a folder of meshes."""
    small = {"source": "meshes", "folder": str(folder), "models": 2, "views": 3, "image_size": 48, "ambient": 0.5}
    return load(ROOT / "params.yaml").fetch.model_copy(update={**small, "points": 2000, **changes})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two chairs of one design and a table-like one, none at the origin or of size 1."""
    (tmp_path / "meshes" / "chair").mkdir(parents=True)
    for name, extents in {"a": (1, 2, 3), "a_wood": (1, 2, 3), "b": (4, 1, 1)}.items():
        box = trimesh.creation.box(extents=extents)
        colors = np.full((len(box.vertices), 3), 90, dtype=np.uint8)
        save_glb(tmp_path / "meshes" / "chair" / f"{name}.glb", box.vertices + 7, box.faces, colors)
    return tmp_path / "meshes"


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_layout_is_that_of_the_archive(folder: Path, tmp_path: Path) -> None:
    """Images, metadata, clouds, meshes and tables are where the next step and 3D-R2N2's readers look for them."""
    summary = fetch("chair", params(folder), tmp_path / "raw")

    images = [f"{index:02d}.png" for index in range(3)]
    expected = {"models.csv", "skipped.csv", "source.txt"}
    for name in ("a", "a_wood", "b"):
        rendering = f"ShapeNetRendering/03001627/{name}/rendering"
        expected |= {f"{rendering}/{file}" for file in (*images, "renderings.txt", "rendering_metadata.txt")}
        expected |= {f"clouds/03001627/{name}/pointcloud.npz", f"meshes/03001627/{name}/model.glb"}
    assert expected == set(contents(tmp_path / "raw"))
    table = pd.read_csv(tmp_path / "raw" / "models.csv")
    assert table["design"].tolist() == ["a", "a", "b"]
    assert summary == {"category": "chair", "source": "meshes", "models": 3, "designs": 2, "images": 9, "skipped": 0}


def test_clouds_are_in_the_frame_of_the_renders(folder: Path, tmp_path: Path) -> None:
    """Points lie on a box centred at the origin with diagonal 1, with unit normals, whatever the file's scale."""
    fetch("chair", params(folder), tmp_path / "raw")
    points, normals = read_cloud(cloud_file(tmp_path / "raw", "chair", "a"))

    assert points.dtype == normals.dtype == np.float32
    half = np.array([1, 2, 3]) / np.sqrt(14) / 2
    np.testing.assert_allclose(np.abs(points).max(0), half, atol=1e-6)
    axis = np.abs(normals).argmax(1)
    rows = np.arange(len(points))
    np.testing.assert_allclose(points[rows, axis] * normals[rows, axis], half[axis], atol=1e-6)


@pytest.mark.parametrize("literal_fov", [False, True])
def test_clouds_project_into_the_masks(shared: Path, tmp_path: Path, literal_fov: bool) -> None:
    """Of a real model over 98 % of the points fall on its silhouette by the camera of 3D-R2N2's metadata.

    A camera that takes the fov column at its word, the known mistake, must fail.
    """
    (tmp_path / "meshes" / "car").mkdir(parents=True)
    shutil.copy(shared / "cc0" / "car" / "kenney-car-kit__tractor-shovel.glb", tmp_path / "meshes" / "car" / "a.glb")
    fetch("car", params(tmp_path / "meshes", views=24, image_size=137), tmp_path / "raw")
    points, _ = read_cloud(cloud_file(tmp_path / "raw", "car", "a"))
    rendering = r2n2.rendering_folder(tmp_path / "raw", "car", "a")
    views = r2n2.read_views(rendering)
    camera = r2n2_camera(*(torch.from_numpy(a).float() for a in (views.azimuth, views.elevation, views.distance_ratio)))
    ndc = camera.project(camera.to_camera(torch.from_numpy(points)[None])).numpy()
    if literal_fov:
        ndc = ndc / camera.focal / np.tan(np.radians(25 / 2))
    pixels = ((ndc * [1, -1] + 1) * 137 / 2).astype(int).clip(0, 136)

    inside = []
    for index, (column, row) in enumerate(pixels.transpose(0, 2, 1)):
        alpha = r2n2.read_image(rendering / r2n2.image_name(index), 137)[..., 3]
        inside.append((alpha[row, column] > 0).mean())
    assert (np.mean(inside) > 0.98) != literal_fov


def test_fetching_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    """Threads and temporary names leave no trace in what is written."""
    fetch("chair", params(folder), tmp_path / "one")
    fetch("chair", params(folder), tmp_path / "two")

    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_a_model_does_not_depend_on_its_neighbours(folder: Path, tmp_path: Path) -> None:
    """Each has its own views; removing one file leaves every byte of the others as it was; another seed does not."""
    fetch("chair", params(folder), tmp_path / "all")
    (folder / "chair" / "a.glb").unlink()
    fetch("chair", params(folder), tmp_path / "fewer")
    fetch("chair", params(folder, seed=1), tmp_path / "other")

    views = [r2n2.read_views(r2n2.rendering_folder(tmp_path / "all", "chair", name)) for name in ("a", "b")]
    assert not set(views[0].azimuth) & set(views[1].azimuth)
    whole, fewer, other = (contents(tmp_path / name) for name in ("all", "fewer", "other"))
    kept = [name for name in fewer if "/b/" in name]
    assert all(whole[name] == fewer[name] for name in kept)
    assert all(whole[name] != other[name] for name in kept if name.endswith((".png", "metadata.txt", ".npz")))


def test_procedural_models_come_through_the_same_door(tmp_path: Path) -> None:
    """The built-in generator gives as many models as asked for, each visible in every image."""
    summary = fetch("cabinet", params(tmp_path, source="procedural"), tmp_path / "raw")

    assert (summary["models"], summary["designs"], summary["images"]) == (2, 2, 6)
    for path in (tmp_path / "raw").rglob("*.png"):
        assert 0.01 < (r2n2.read_image(path, 48)[..., 3] > 0).mean() < 0.6


def test_broken_files_are_skipped_counted_and_named(folder: Path, tmp_path: Path) -> None:
    """A truncated file and a flat one without area cost themselves alone, and skipped.csv says why."""
    broken = folder / "chair" / "b.glb"
    broken.write_bytes(broken.read_bytes()[:300])
    (folder / "chair" / "line.off").write_text("OFF\n3 1 0\n0 0 0\n1 0 0\n2 0 0\n3 0 1 2\n")
    summary = fetch("chair", params(folder), tmp_path / "raw")
    skipped = pd.read_csv(tmp_path / "raw" / "skipped.csv")

    assert (summary["models"], summary["skipped"]) == (2, 2)
    assert skipped["file"].tolist() == ["b.glb", "line.off"]
    assert "truncated" in skipped["reason"][0]
    assert "no surface" in skipped["reason"][1]
    assert not [name for name in contents(tmp_path / "raw") if "/b/" in name or "/line/" in name]


def test_a_failed_fetch_leaves_what_was_there(folder: Path, tmp_path: Path) -> None:
    """If no file can be used, or the folder is gone, the old data stay and no temporary folder is left."""
    fetch("chair", params(folder), tmp_path / "data" / "raw")
    before = contents(tmp_path / "data")
    for path in (folder / "chair").iterdir():
        path.write_bytes(b"broken")
    with pytest.raises(InputError, match=r"none of the 3 chair models can be used; the first: .*a\.glb"):
        fetch("chair", params(folder), tmp_path / "data" / "raw")
    shutil.rmtree(folder)
    with pytest.raises(InputError, match="does not exist"):
        fetch("chair", params(folder), tmp_path / "data" / "raw")

    assert before == contents(tmp_path / "data")
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["raw"]
