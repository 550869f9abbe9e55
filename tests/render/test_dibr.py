"""Visibility and colours of the DIB-R operator against Kaolin's golden values, finite differences and a slow twin."""

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genren.geometry.camera import fixed_camera
from genren.render import dibr_rasterization, rasterize

from .reference import reference_rasterize, reference_soft_mask
from .scenes import random_faces, special_faces

seeds = st.integers(0, 2**31)


def test_face_index_equals_kaolins_golden_values(shared: Path):
    """Visibility is Kaolin's, pixel by pixel."""
    golden = torch.load(shared / "golden" / "kaolin_dibr_simple.pt", weights_only=True)
    image, depth = golden["face_vertices_image"], golden["face_vertices_z"]

    _, face_idx = rasterize(golden["height"], golden["width"], depth, image, torch.ones(*image.shape[:3], 1))

    assert torch.equal(golden["face_idx"], face_idx)


@pytest.mark.parametrize("batch", [0, 1, 3])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 17), (13, 21), (32, 32)])
def test_pictures_and_gradients_agree_with_the_definition(batch: int, height: int, width: int):
    """Features, face indices and the gradients of features and positions are those of a loop over all faces."""
    depth, image, features = random_faces(batch, 40)
    valid = torch.rand(batch, 40) > 0.2
    weight = torch.rand(batch, height, width, 3, dtype=torch.float64)

    expected, expected_idx, expected_gradients = drawn_with_gradients(
        reference_rasterize, (height, width, depth), image, features, valid, weight
    )
    drawn, face_idx, gradients = drawn_with_gradients(rasterize, (height, width, depth), image, features, valid, weight)

    assert torch.equal(expected_idx, face_idx)
    torch.testing.assert_close(drawn, expected)
    for found, wanted in zip(gradients, expected_gradients, strict=True):
        torch.testing.assert_close(found, wanted, rtol=1e-5, atol=1e-5)


def drawn_with_gradients(
    draw, where: tuple, image: Tensor, features: Tensor, valid: Tensor, weight: Tensor
) -> tuple[Tensor, Tensor, tuple[Tensor, ...]]:
    """What `draw` draws, and the gradients of its weighted sum by positions and features."""
    image, features = image.clone().requires_grad_(), features.clone().requires_grad_()
    drawn, face_idx = draw(*where, image, features, valid)
    return drawn, face_idx, torch.autograd.grad((drawn * weight).sum(), (image, features))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_special_faces_agree_with_the_definition(dtype: torch.dtype):
    """Thin, point-like, huge, off-screen, clockwise and overlapping faces are drawn as defined, gradients finite."""
    depth, image, features = special_faces(dtype)
    image.requires_grad_()
    features.requires_grad_()

    expected, expected_idx = reference_rasterize(24, 31, depth, image, features)
    drawn, face_idx = rasterize(24, 31, depth, image, features)
    drawn.sum().backward()

    assert torch.equal(expected_idx, face_idx)
    assert {0, 5} <= set(face_idx.unique().tolist())
    torch.testing.assert_close(drawn, expected, atol=1e-3 if dtype == torch.float32 else 1e-7, rtol=1e-3)
    assert image.grad is not None
    assert image.grad.isfinite().all()


def test_the_first_of_equally_near_faces_is_drawn():
    """Ties in depth go to the lowest index, as in a loop that replaces only what is farther; -0 and 0 are equal."""
    _, image, features = random_faces(1, 1)
    image = (image * 0 + torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]])).repeat(1, 4, 1, 1)
    features = features.repeat(1, 4, 1, 1)
    for dtype in (torch.float32, torch.float64):
        depth = torch.tensor([-1.0, -0.0, 0.0, 0.0], dtype=dtype)[None, :, None].repeat(1, 1, 3)

        _, face_idx = rasterize(16, 16, depth, image.to(dtype), features.to(dtype))

        assert set(face_idx.unique().tolist()) == {-1, 1}


def test_doubles_are_told_apart_by_their_last_bits():
    """In float64 a face nearer by less than float32 can say is nearer."""
    _, image, features = random_faces(1, 1)
    image = (image * 0 + torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]])).repeat(1, 3, 1, 1)
    depth = (-1 + torch.tensor([0.0, 3e-15, 1e-15], dtype=torch.float64))[None, :, None].repeat(1, 1, 3)

    _, face_idx = rasterize(16, 16, depth, image, features.repeat(1, 3, 1, 1))

    assert (face_idx == 1).sum() > 0.9 * (face_idx >= 0).sum()


def test_gradients_are_those_of_finite_differences():
    """Autograd agrees with finite differences in double precision, for features, positions and the whole operator."""
    image = torch.tensor(
        [[[[-0.813, -0.671], [0.907, -0.447], [0.127, 0.771]]]], dtype=torch.float64, requires_grad=True
    )
    features = torch.rand(1, 1, 3, 2, dtype=torch.float64, requires_grad=True)
    depth, normals = -torch.ones(1, 1, 3, dtype=torch.float64), torch.ones(1, 1, dtype=torch.float64)
    # Coverage is a step in the positions: only pixels whose coverage no perturbation changes are compared.
    inside = rasterize(16, 16, depth, image.detach() * 0.9, features.detach())[1] >= 0
    outside = rasterize(16, 16, depth, image.detach() * 1.1, features.detach())[1] < 0

    def draw(image: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        drawn, mask, _ = dibr_rasterization(16, 16, depth, image, features, normals, sigmainv=20.0, boxlen=0.3)
        return drawn * inside[..., None], mask * outside

    assert torch.autograd.gradcheck(draw, (image, features))


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_permuting_faces_changes_no_pixel(seed: int):
    """Order matters for ties alone: shuffled faces draw the same picture."""
    torch.manual_seed(seed)
    depth, image, features = random_faces(1, 50)
    order = torch.randperm(50)

    drawn, face_idx = rasterize(32, 32, depth, image, features)
    shuffled, shuffled_idx = rasterize(32, 32, depth[:, order], image[:, order], features[:, order])

    torch.testing.assert_close(drawn, shuffled)
    assert torch.equal(face_idx, torch.where(shuffled_idx < 0, -1, order[shuffled_idx]))


@settings(deadline=None, max_examples=25)
@given(seeds)
def test_splitting_a_face_changes_no_colour(seed: int):
    """A face cut in three at an inner point, with interpolated depth and features, draws the same colours."""
    torch.manual_seed(seed)
    depth, image, features = random_faces(1, 1, size=0.6)
    share = torch.tensor([0.2, 0.5, 0.3], dtype=torch.float64)

    def split(corners: Tensor) -> Tensor:
        inner = torch.einsum("k,bfk...->bf...", share, corners)
        a, b, c = corners.unbind(2)
        return torch.cat([torch.stack(part, dim=2) for part in ((a, b, inner), (b, c, inner), (c, a, inner))], dim=1)

    whole, whole_idx = rasterize(32, 32, depth, image, features)
    parts, parts_idx = rasterize(32, 32, split(depth), split(image), split(features))

    # A pixel centre on a cut is in both parts or, by rounding, in none.
    both = (whole_idx >= 0) & (parts_idx >= 0)
    assert both.sum() >= (whole_idx >= 0).sum() - 2
    torch.testing.assert_close(whole[both], parts[both])


def test_moving_by_whole_pixels_moves_the_picture():
    """A shift of the corners by three pixels to the right and two up shifts picture and mask alike."""
    depth, image, features = random_faces(1, 20, size=0.15)
    image = image * 0.4
    shift = torch.tensor([3 * 2 / 32, 2 * 2 / 32], dtype=torch.float64)

    drawn, mask, _ = dibr_rasterization(32, 32, depth, image, features, torch.ones(1, 20))
    moved, moved_mask, _ = dibr_rasterization(32, 32, depth, image + shift, features, torch.ones(1, 20))

    torch.testing.assert_close(drawn.roll((-2, 3), (1, 2))[:, 4:-4, 4:-4], moved[:, 4:-4, 4:-4])
    torch.testing.assert_close(mask.roll((-2, 3), (1, 2))[:, 4:-4, 4:-4], moved_mask[:, 4:-4, 4:-4])


def test_a_list_of_features_comes_back_as_a_tuple():
    """Kaolin's calling form with a list of features keeps their order and widths."""
    depth, image, features = random_faces(2, 10, dtype=torch.float32)
    one, two = features[..., :1], features[..., 1:]
    normals = torch.ones(2, 10)

    together, mask, face_idx = dibr_rasterization(16, 16, depth, image, features, normals)
    apart, mask2, face_idx2 = dibr_rasterization(16, 16, depth, image, [one, two], normals)

    assert isinstance(apart, tuple)
    assert torch.equal(together, torch.cat(apart, dim=-1))
    assert torch.equal(mask, mask2)
    assert torch.equal(face_idx, face_idx2)


def test_the_whole_operator_agrees_with_the_definition():
    """Colours of the faces that look at the camera, mask of all of them, and gradients through both."""
    depth, image, features = random_faces(2, 30, size=0.2)
    normals = torch.rand(2, 30) - 0.3
    slow = image.clone().requires_grad_()
    fast = image.clone().requires_grad_()

    expected, expected_idx = reference_rasterize(20, 27, depth, slow, features, normals >= 0)
    expected_mask = reference_soft_mask(slow, expected_idx, 200.0, 0.1, 30)
    drawn, mask, face_idx = dibr_rasterization(20, 27, depth, fast, features, normals, sigmainv=200.0, boxlen=0.1)
    (expected.square().sum() + expected_mask.square().sum()).backward()
    (drawn.square().sum() + mask.square().sum()).backward()

    assert torch.equal(expected_idx, face_idx)
    torch.testing.assert_close(drawn, expected)
    torch.testing.assert_close(mask, expected_mask)
    # Beside an outline that is not drawn, 1 - p is small, and Kaolin's guard of 1e-7 against dividing by it shows.
    torch.testing.assert_close(fast.grad, slow.grad, rtol=2e-3, atol=1e-4)


def test_faces_that_look_away_are_not_drawn():
    """Negative normals cull a face's colour; its soft mask stays, as in Kaolin. A normal of 0 is drawn."""
    _, image, features = random_faces(1, 1, dtype=torch.float32)
    image = image * 0 + torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]])
    depth = -torch.ones(1, 1, 3)

    drawn, mask, face_idx = dibr_rasterization(16, 16, depth, image, features, -torch.ones(1, 1), boxlen=0.1)
    _, _, edge_on = dibr_rasterization(16, 16, depth, image, features, torch.zeros(1, 1))

    assert (face_idx == -1).all()
    assert (drawn == 0).all()
    assert mask.max() > 0
    assert (edge_on == 0).any()


@pytest.mark.parametrize("value", [1e30, -1e30, 3e38, -3e38])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_wild_coordinates_stay_inside_the_image(value: float, dtype: torch.dtype):
    """Huge and negative corners, overflowing when multiplied, neither crash nor hide the other faces."""
    depth, image, features = random_faces(1, 3, dtype=dtype)
    image[0, 0] = torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]])
    image[0, 1] = value
    image[0, 2, 1, 0] = value
    depth[0, 0] = -0.5
    image.requires_grad_()

    drawn, mask, face_idx = dibr_rasterization(16, 16, depth, image, features, torch.ones(1, 3))
    (drawn.sum() + mask.nan_to_num().sum()).backward()

    assert face_idx[0, 8, 8] == 0
    assert drawn[0, 8, 8].isfinite().all()
    assert mask.shape == (1, 16, 16)


def test_y_is_up_and_x_is_right():
    """A triangle at the upper right of NDC lands in the first rows and last columns."""
    camera = fixed_camera()
    points = torch.tensor([[[0.2, 0.2, 0.0], [0.5, 0.2, 0.0], [0.2, 0.5, 0.0]]])
    projected = camera.project(camera.to_camera(points))[:, None]

    _, face_idx = rasterize(16, 16, -torch.ones(1, 1, 3), projected, torch.ones(1, 1, 3, 1))
    rows, columns = (face_idx[0] == 0).nonzero().T

    assert len(rows) > 0
    assert rows.max() < 8
    assert columns.min() >= 8
