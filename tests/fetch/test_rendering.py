"""Renders in the protocol of 3D-R2N2."""

import numpy as np
import pytest
import torch
import trimesh

from genren.data.r2n2 import Views
from genren.fetch.rendering import render_views
from genren.geometry.camera import r2n2_camera
from genren.geometry.color import linear_to_srgb, srgb_to_linear
from genren.geometry.mesh import TexturedMesh

GREY = np.float32(0.5)


def colored(vertices: np.ndarray, faces: np.ndarray, colors: np.ndarray | float) -> TexturedMesh:
    """An untextured mesh in linear colours per corner (broadcast), as it stands."""
    face_colors = np.broadcast_to(np.asarray(colors, dtype=np.float32), (len(faces), 3, 3))
    uvs = np.zeros((len(faces), 3, 2), dtype=np.float32)
    return TexturedMesh(np.asarray(vertices, float), np.asarray(faces), face_colors, uvs, np.full(len(faces), -1))


def joined(*meshes: TexturedMesh) -> TexturedMesh:
    """Several untextured meshes as one."""
    offsets = np.cumsum([0, *(len(mesh.vertices) for mesh in meshes)])
    faces = np.concatenate([mesh.faces + offset for mesh, offset in zip(meshes, offsets, strict=False)])
    colors = np.concatenate([mesh.face_colors for mesh in meshes])
    return colored(np.concatenate([mesh.vertices for mesh in meshes]), faces, colors)


def square(size: float, z: float, colors: np.ndarray | float, texture: np.ndarray | None = None) -> TexturedMesh:
    """A square that faces +z, with an optional texture over all of it."""
    vertices = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]]) * size / 2 + [0, 0, z]
    mesh = colored(vertices, np.array([[0, 1, 2], [0, 2, 3]]), colors)
    if texture is None:
        return mesh
    uvs = np.array([[[0, 0], [1, 0], [1, 1]], [[0, 0], [1, 1], [0, 1]]], dtype=np.float32)
    return TexturedMesh(mesh.vertices, mesh.faces, mesh.face_colors, uvs, np.zeros(2, int), (texture,))


def views(azimuth: float = 90, elevation: float = 0, ratio: float = 0.65) -> Views:
    """One view; by default from the front, +z, where +x is on the right."""
    return Views(np.array([azimuth], float), np.array([elevation], float), np.array([ratio], float))


def project(points: np.ndarray, view: Views, size: int) -> np.ndarray:
    """Column and row (N, 2), in pixels, of world points, by the published formula."""
    camera = r2n2_camera(*(torch.from_numpy(a) for a in (view.azimuth, view.elevation, view.distance_ratio)))
    ndc = camera.project(camera.to_camera(torch.from_numpy(points)[None]))[0].numpy()
    return (ndc * [1, -1] + 1) * size / 2


def test_nothing_is_mirrored() -> None:
    """From +z the red right side (+x) is on the right and the blue top is up; from -z red is on the left."""
    side = {"x": [0.2, 0, 0], "y": [0, 0.2, 0], "z": [0, 0, 0.2]}
    boxes = []
    for axis, color in (("x", [1, 0, 0]), ("y", [0, 0, 1]), ("z", [0, 1, 0])):
        box = trimesh.creation.box(extents=(0.1, 0.1, 0.1))
        boxes.append(colored(box.vertices + side[axis], box.faces, color))
    mesh = joined(*boxes)
    size = 64

    def centers(azimuth: float) -> dict[str, np.ndarray]:
        image = render_views(mesh, views(azimuth, 25), size, 1, 1.0)[0]
        colors = {"red": [255, 0, 0, 255], "blue": [0, 0, 255, 255]}
        return {name: np.argwhere((image == color).all(-1)).mean(0) - size / 2 for name, color in colors.items()}

    front, back = centers(90), centers(270)
    assert front["red"][1] > 3
    assert front["blue"][0] < -3
    assert back["red"][1] < -3
    assert back["blue"][0] < -3


@pytest.mark.parametrize("supersample", [1, 2, 3])
def test_flat_colours_are_exact(supersample: int) -> None:
    """With ambient light alone every opaque pixel has the sRGB value of the colour, also at the silhouette."""
    levels = np.array([3, 128, 250])
    mesh = square(0.6, 0, srgb_to_linear(levels / 255))
    image = render_views(mesh, views(70, 27), 48, supersample, 1.0)[0]

    np.testing.assert_array_equal(np.unique(image[image[..., 3] > 0][:, :3], axis=0), [levels])
    assert not image[image[..., 3] == 0].any()


def test_a_texture_is_the_right_way_up_and_exact() -> None:
    """Each quadrant of the square shows its texel: the first row of the picture is at the top."""
    texture = np.array([[[255, 0, 0], [0, 255, 0]], [[0, 0, 255], [40, 50, 60]]], dtype=np.uint8)
    image = render_views(square(0.6, 0, 1, texture), views(), 64, 2, 1.0)[0]
    quadrants = image[24:41:16, 24:41:16]

    np.testing.assert_array_equal(quadrants[..., :3], texture)


def test_vertex_colours_multiply_the_texture() -> None:
    """Half of the light of a mid-grey texel is shown as the sRGB value of that half."""
    texture = np.full((1, 1, 3), 188, dtype=np.uint8)
    image = render_views(square(0.6, 0, 0.5, texture), views(), 16, 1, 1.0)[0]
    expected = round(255 * float(linear_to_srgb(srgb_to_linear(np.array(188 / 255)) / 2)))

    assert image[8, 8].tolist() == [expected] * 3 + [255]


def test_texture_repeats_outside_and_ends_at_its_edge() -> None:
    """Coordinates beyond [0, 1] repeat the picture; exactly 1 is its last texel, not its first."""
    texture = np.array([[[255, 0, 0], [0, 255, 0]]], dtype=np.uint8)
    mesh = square(0.6, 0, 1, texture)
    edge = TexturedMesh(*[*vars(mesh).values()][:3], np.ones_like(mesh.face_uvs), mesh.face_texture, mesh.textures)
    twice = TexturedMesh(*[*vars(mesh).values()][:3], 2 * mesh.face_uvs - 1, mesh.face_texture, mesh.textures)

    assert render_views(edge, views(), 16, 1, 1.0)[0][8, 8, :3].tolist() == [0, 255, 0]
    row = render_views(twice, views(), 64, 1, 1.0)[0][32]
    changes = np.abs(np.diff(row[row[:, 3] > 0][:, 0].astype(int))).astype(bool).sum()
    assert changes == 3


def test_interpolation_is_perspective_correct() -> None:
    """On a plane that recedes, points in space find their own colour in the image; affine interpolation misses it."""
    floor = np.array([[-0.2, 0, -0.45], [0.2, 0, -0.45], [0.2, 0, 0.45], [-0.2, 0, 0.45]])
    ramp = floor[:, 2:] / 0.9 + 0.5
    mesh = colored(floor, np.array([[0, 2, 1], [0, 3, 2]]), ramp[np.array([[0, 2, 1], [0, 3, 2]])] * np.ones(3))
    image = render_views(mesh, views(90, 25), 256, 1, 1.0)[0]
    z = np.linspace(-0.4, 0.4, 50)
    column, row = project(np.stack([0 * z, 0 * z, z], axis=1), views(90, 25), 256).astype(int).T
    seen = srgb_to_linear(image[row, column, 0] / 255)

    np.testing.assert_allclose(seen, z / 0.9 + 0.5, atol=0.015)


@pytest.mark.parametrize(("offset", "seen"), [(0.004, 255), (-0.004, 0)])
def test_small_and_large_faces_hide_each_other(offset: float, seen: int) -> None:
    """A handle just before a large slanted door is seen, one just behind it is not; affine depth shows both."""
    mesh = joined(square(0.7, 0, 0), square(0.05, offset, 1))
    image = render_views(mesh, views(35, 25), 137, 2, 1.0)[0]
    column, row = project(np.array([[0.0, 0, offset]]), views(35, 25), 137).astype(int)[0]

    assert image[row, column, 0] == seen


def test_both_sides_are_drawn_and_lit_alike() -> None:
    """A face seen from behind is there, and as bright as one that is turned the right way."""
    mesh = square(0.6, 0, GREY)
    turned = TexturedMesh(mesh.vertices, mesh.faces[:, ::-1].copy(), *[*vars(mesh).values()][2:])

    for azimuth in (90, 270):
        there = render_views(mesh, views(azimuth), 32, 1, 0.3)
        np.testing.assert_array_equal(there, render_views(turned, views(azimuth), 32, 1, 0.3))
        assert there[..., 3].any()


def test_light_comes_from_above_and_in_front() -> None:
    """The top is brighter than the front, the front than the sides and the back, and no two sides look the same."""
    box = trimesh.creation.box(extents=(0.5, 0.5, 0.5))
    image = render_views(colored(box.vertices, box.faces, 1), views(45, 30), 64, 1, 0.4)[0]
    image_back = render_views(colored(box.vertices, box.faces, 1), views(225, 30), 64, 1, 0.4)[0]
    shades = [np.unique(picture[picture[..., 3] > 0][:, 0]) for picture in (image, image_back)]

    assert [len(levels) for levels in shades] == [3, 3]
    assert shades[0].max() == shades[1].max()
    assert shades[0][1] > shades[1][1]


def test_alpha_is_coverage() -> None:
    """Alpha counts samples, and the silhouette has the area and the centre of the projected outline."""
    mesh = square(0.5, 0, GREY)
    alpha = render_views(mesh, views(60, 28), 64, 4, 1.0)[0, ..., 3]
    levels = set(np.unique(alpha))
    corners = project(mesh.vertices, views(60, 28), 64)
    following = np.roll(corners, -1, axis=0)
    cross = corners[:, 0] * following[:, 1] - corners[:, 1] * following[:, 0]
    column, row = ((corners + following) * cross[:, None]).sum(0) / (3 * cross.sum())
    share = alpha / alpha.sum()

    assert levels <= {round(255 * count / 16) for count in range(17)}
    assert len(levels) > 5
    assert alpha.sum() / 255 == pytest.approx(abs(cross.sum()) / 2, rel=0.01)
    assert (share.sum(0) * (np.arange(64) + 0.5)).sum() == pytest.approx(column, abs=0.05)
    assert (share.sum(1) * (np.arange(64) + 0.5)).sum() == pytest.approx(row, abs=0.05)
