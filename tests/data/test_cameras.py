"""Cameras of stored images, from metadata and from matrices."""

from pathlib import Path

import numpy as np
import pytest
import torch

from genren.data import cameras, r2n2
from genren.errors import InputError
from genren.geometry.camera import r2n2_camera
from genren.render import rasterize

VIEWS = r2n2.draw_views(20, np.random.default_rng(0))


def test_matrices_are_the_cameras_of_the_metadata():
    """A point goes through [R | t] to where the renderer's camera puts it, and the focal length is that of the lens."""
    known = cameras.from_views(VIEWS)
    numbers = (torch.from_numpy(array) for array in (VIEWS.azimuth, VIEWS.elevation, VIEWS.distance_ratio))
    camera = r2n2_camera(*numbers)
    points = np.random.default_rng(1).normal(size=(20, 7, 3))

    moved = points @ known.matrices[..., :3].transpose(0, 2, 1) + known.matrices[:, None, :, 3]
    np.testing.assert_allclose(moved, camera.to_camera(torch.from_numpy(points)).numpy(), atol=1e-12)
    np.testing.assert_array_equal(known.focal, 35 / 16)


def test_matrices_and_words_say_the_same():
    """Azimuth, elevation and distance come back from the matrices."""
    back = cameras.from_views(VIEWS).views()

    for name, values in vars(VIEWS).items():
        np.testing.assert_allclose(vars(back)[name], values, atol=1e-9)


def test_a_file_survives(tmp_path: Path):
    """What is written is read; where there is none, the metadata have to do."""
    assert cameras.read_cameras(tmp_path) is None
    cameras.write_cameras(tmp_path, cameras.from_views(VIEWS))
    read = cameras.read_cameras(tmp_path)

    assert read is not None
    np.testing.assert_array_equal(read.matrices, cameras.from_views(VIEWS).matrices)
    np.savez(tmp_path / "cameras.npz", matrices=read.matrices[:3], focal=read.focal)
    with pytest.raises(InputError, match=r"has matrices \(3, 3, 4\)"):
        cameras.read_cameras(tmp_path)


def world_mat(view: int, scale: float = 1) -> np.ndarray:
    """A camera in the words of OpenCV, times a scale, as some writers leave in it."""
    matrix = np.eye(4)
    matrix[:3] = scale * np.diag([1, -1, -1]) @ cameras.from_views(VIEWS).matrices[view]
    return matrix


def test_matrices_of_nmr_are_read():
    """4x4, 3x4, inverse and scaled ones are one camera; its focal length is the file's, or that of the paper."""
    arrays = {
        "world_mat_0": world_mat(0),
        "world_mat_1": world_mat(1)[:3],
        "world_mat_inv_2": np.linalg.inv(world_mat(2)),
        "world_mat_3": world_mat(3, 2.0),
        "camera_mat_3": np.diag([3.0, -3.0, 1]),
    }
    read = cameras.from_nmr(arrays, 4, "x")

    np.testing.assert_allclose(read.matrices, cameras.from_views(VIEWS).matrices[:4], atol=1e-9)
    np.testing.assert_allclose(read.focal, [3.7320508, 3.7320508, 3.7320508, 3])


@pytest.mark.parametrize(
    ("matrix", "words"),
    [
        (None, "has nothing as world_mat_0"),
        (np.eye(3), r"an array \(3, 3\)"),
        (np.full((4, 4), np.nan), "expected a finite"),
        (np.diag([1.0, 2, 3, 1]), "no rotation and shift"),
        (np.diag([1.0, 1, -1, 1]), "no rotation and shift"),
        (np.zeros((4, 4)), "no rotation and shift"),
    ],
)
def test_what_is_no_camera_is_refused(matrix: np.ndarray | None, words: str):
    """Missing, misshapen, sheared, mirrored and empty matrices."""
    with pytest.raises(InputError, match=words):
        cameras.from_nmr({} if matrix is None else {"world_mat_0": matrix}, 1, "x")


def test_a_batch_for_rendering_must_be_known_and_alike():
    """Unknown cameras and mixed lenses are a caller's mistake."""
    known = cameras.from_views(VIEWS)
    camera = cameras.to_camera(known.matrices, known.focal)

    np.testing.assert_allclose(
        camera.position.norm(dim=1), 1.75 * torch.from_numpy(VIEWS.distance_ratio).float(), atol=1e-6
    )
    with pytest.raises(ValueError, match="must be known"):
        cameras.to_camera(cameras.unknown(2).matrices, known.focal[:2])
    with pytest.raises(ValueError, match="of one focal length"):
        cameras.to_camera(known.matrices[:2], np.array([1.0, 2]))


def test_a_render_of_the_shape_lands_on_its_mask(tiny_store: Path):
    """The canonical mesh of a stored model through the store's camera covers its image's alpha, and no other view's."""
    from genren.data.store import Store
    from genren.geometry.meshfile import load_mesh

    store = Store.open(tiny_store)
    overlaps = {True: [], False: []}
    for row in (0, 2, 5):
        model = store.views["model"][row]
        mesh = load_mesh(tiny_store.parent / "raw" / "meshes" / "02933112" / model / "model.glb").normalized(
            diagonal=False
        )
        for shift in (0, 1):
            other = row + shift
            camera = store.camera(np.array([other]))
            points = camera.to_camera(torch.from_numpy(mesh.vertices).float()[None])
            faces = torch.from_numpy(mesh.faces)
            nearness = (-1 / points[..., 2])[:, faces]
            _, seen = rasterize(32, 32, nearness, camera.project(points)[:, faces], nearness[..., None])
            drawn, mask = (seen[0] >= 0).numpy(), store.images[row][..., 3] > 127
            overlaps[shift == 0].append((drawn & mask).sum() / (drawn | mask).sum())

    assert min(overlaps[True]) > 0.9
    assert max(overlaps[False]) < 0.9
