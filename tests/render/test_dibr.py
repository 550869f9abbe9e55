"""The DIB-R operator against Kaolin's golden values, finite differences and a slow twin."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from genren.geometry.camera import fixed_camera
from genren.render import dibr_rasterization, dibr_soft_mask, rasterize

from .reference import reference_rasterize, reference_soft_mask


def random_faces(batch: int, faces: int, size: float = 0.3, dtype: torch.dtype = torch.float64) -> tuple[Tensor, ...]:
    """Random triangles around the image, some partly outside of it: depth, NDC corners, three features."""
    centers = torch.rand(batch, faces, 1, 2, dtype=dtype) * 2.4 - 1.2
    image = centers + size * torch.randn(batch, faces, 3, 2, dtype=dtype)
    depth = -1 - torch.rand(batch, faces, 3, dtype=dtype)
    return depth, image, torch.rand(batch, faces, 3, 3, dtype=dtype)


@pytest.mark.parametrize("multiplier", [1.0, 100.0, 1000.0])
@pytest.mark.parametrize("knum", [20, 30])
def test_soft_mask_equals_kaolins_golden_values(shared: Path, knum: int, multiplier: float):
    """Mask and gradient are Kaolin's, whatever multiplier and knum."""
    golden = torch.load(shared / "golden" / "kaolin_dibr_simple.pt", weights_only=True)
    face_idx = golden["face_idx"]
    target = torch.zeros_like(face_idx, dtype=torch.float32)
    target[:, :, :-5] = (face_idx[:, :, 5:] != -1).float()
    assert golden["cases"]
    for case in golden["cases"]:
        image = golden["face_vertices_image"].clone().requires_grad_()

        mask = dibr_soft_mask(image, face_idx, case["sigmainv"], case["boxlen"], knum, multiplier)
        overlap = (mask * target).sum((1, 2)) / (mask + target - mask * target).sum((1, 2))
        (1 - overlap).mean().backward()

        torch.testing.assert_close(mask, case["soft_mask"], atol=1e-5, rtol=0)
        torch.testing.assert_close(image.grad, case["grad_face_vertices_image"], atol=1e-5, rtol=1e-4)


def test_face_index_equals_kaolins_golden_values(shared: Path):
    """Visibility is Kaolin's, pixel by pixel."""
    golden = torch.load(shared / "golden" / "kaolin_dibr_simple.pt", weights_only=True)
    image, depth = golden["face_vertices_image"], golden["face_vertices_z"]

    _, face_idx = rasterize(golden["height"], golden["width"], depth, image, torch.ones(*image.shape[:3], 1))

    assert torch.equal(golden["face_idx"], face_idx)


@pytest.mark.parametrize(("height", "width"), [(1, 1), (13, 21), (32, 32)])
def test_rasterize_agrees_with_the_definition(height: int, width: int):
    """Features and face indices equal the loop over all faces and pixels, on non-square images too."""
    depth, image, features = random_faces(2, 40)
    valid = torch.rand(2, 40) > 0.2

    expected_features, expected_idx = reference_rasterize(height, width, depth, image, features, valid)
    drawn, face_idx = rasterize(height, width, depth, image, features, valid)

    assert torch.equal(expected_idx, face_idx)
    torch.testing.assert_close(drawn, expected_features)


@pytest.mark.parametrize("knum", [3, 30])
def test_soft_mask_agrees_with_the_definition(knum: int):
    """The mask without a face list equals the product over the first knum faces, overflowing pixels included."""
    depth, image, features = random_faces(2, 30, size=0.1)
    _, face_idx = rasterize(24, 24, depth, image, features)
    weight = torch.rand(2, 24, 24, dtype=torch.float64)
    fast, slow = image.clone().requires_grad_(), image.clone().requires_grad_()

    mask = dibr_soft_mask(fast, face_idx, 50.0, 0.2, knum)
    expected = reference_soft_mask(slow, face_idx, 50.0, 0.2, knum)
    (mask * weight).sum().backward()
    (expected * weight).sum().backward()

    torch.testing.assert_close(mask, expected)
    torch.testing.assert_close(fast.grad, slow.grad, atol=1e-4, rtol=1e-4)


def test_gradients_are_those_of_finite_differences():
    """Autograd agrees with finite differences in double precision, for features and positions."""
    image = torch.tensor(
        [[[[-0.813, -0.671], [0.907, -0.447], [0.127, 0.771]]]], dtype=torch.float64, requires_grad=True
    )
    features = torch.rand(1, 1, 3, 2, dtype=torch.float64, requires_grad=True)
    depth = -torch.ones(1, 1, 3, dtype=torch.float64)
    # Coverage is a step in the positions: only pixels inside for all perturbations are compared.
    inside = rasterize(16, 16, depth, image.detach() * 0.9, features.detach())[1][..., None] >= 0

    def draw(image: Tensor, features: Tensor) -> Tensor:
        return rasterize(16, 16, depth, image, features)[0] * inside

    def soft(image: Tensor) -> Tensor:
        face_idx = rasterize(16, 16, depth, image.detach(), features.detach())[1]
        return dibr_soft_mask(image, face_idx, 20.0, 0.3)

    assert torch.autograd.gradcheck(draw, (image, features))
    assert torch.autograd.gradcheck(soft, (image,))


def test_permuting_faces_changes_no_pixel():
    """Order matters for ties alone: shuffled faces draw the same picture."""
    depth, image, features = random_faces(1, 50)
    order = torch.randperm(50)

    drawn, _ = rasterize(32, 32, depth, image, features)
    shuffled, _ = rasterize(32, 32, depth[:, order], image[:, order], features[:, order])

    torch.testing.assert_close(drawn, shuffled)


def test_list_of_features_comes_back_as_a_list():
    """Kaolin's calling form with a list of features keeps their order and widths."""
    depth, image, features = random_faces(2, 10, dtype=torch.float32)
    one, two = features[..., :1], features[..., 1:]
    normals = torch.ones(2, 10)

    together, mask, face_idx = dibr_rasterization(16, 16, depth, image, features, normals)
    apart, mask2, face_idx2 = dibr_rasterization(16, 16, depth, image, [one, two], normals)

    assert torch.equal(together, torch.cat(apart, dim=-1))
    assert torch.equal(mask, mask2)
    assert torch.equal(face_idx, face_idx2)


def test_faces_that_look_away_are_not_drawn():
    """Negative normals cull a face's colour; its soft mask stays, as in Kaolin."""
    depth, image, features = random_faces(1, 1, dtype=torch.float32)

    _, mask, face_idx = dibr_rasterization(16, 16, depth, image * 0.2, features, -torch.ones(1, 1))

    assert (face_idx == -1).all()
    assert mask.max() < 1 or (mask.max() <= 1 and (face_idx == -1).all())


@pytest.mark.parametrize("value", [1e30, -1e30, float("inf"), float("nan")])
def test_wild_coordinates_stay_inside_the_image(value: float):
    """Huge, infinite and not-a-number corners neither crash nor hide the other faces."""
    depth, image, features = random_faces(1, 3, dtype=torch.float32)
    image[0, 0] = torch.tensor([[-0.5, -0.5], [0.5, -0.5], [0.0, 0.5]])
    image[0, 2, 1, 0] = value
    depth[0, 0] = -0.5

    drawn, mask, face_idx = dibr_rasterization(16, 16, depth, image, features, torch.ones(1, 3))

    assert face_idx[0, 8, 8] == 0
    assert drawn[0, 8, 8].isfinite().all()
    assert mask.shape == (1, 16, 16)


def test_an_empty_batch_is_an_empty_picture():
    """A batch of no meshes gives a batch of no images, forward and backward."""
    depth, image, features = random_faces(0, 5, dtype=torch.float32)
    image.requires_grad_()

    drawn, mask, _ = dibr_rasterization(8, 8, depth, image, features, torch.ones(0, 5))
    (drawn.sum() + mask.sum()).backward()

    assert drawn.shape == (0, 8, 8, 3)


def test_wrong_shapes_are_named():
    """A caller's mistake is named with what was expected."""
    depth, image, features = random_faces(1, 5, dtype=torch.float32)

    with pytest.raises(ValueError, match=r"face_vertices_image must be \(1, 5, 3, 2\), got \(1, 4, 3, 2\)"):
        rasterize(8, 8, depth, image[:, :4], features)
    with pytest.raises(ValueError, match=r"face_features must be torch\.float32"):
        rasterize(8, 8, depth, image, features.double())


def test_an_unknown_back_end_is_named():
    """Kaolin's argument is there, with the names that work."""
    depth, image, features = random_faces(1, 5, dtype=torch.float32)

    with pytest.raises(ValueError, match="backend must be one of auto, warp, got 'cuda'"):
        dibr_rasterization(8, 8, depth, image, features, torch.ones(1, 5), rast_backend="cuda")


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
