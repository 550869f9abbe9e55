"""The soft mask against Kaolin's golden values and a slow twin, overflowing pixels included."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from genren.render import dibr_soft_mask, rasterize

from .reference import reference_soft_mask
from .scenes import random_faces, special_faces, sphere


@pytest.mark.parametrize("multiplier", [1.0, 100.0, 1000.0])
@pytest.mark.parametrize("knum", [20, 30])
def test_mask_and_gradient_equal_kaolins_golden_values(shared: Path, knum: int, multiplier: float):
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
        torch.testing.assert_close(image.grad, case["grad_face_vertices_image"], atol=1e-5, rtol=0)


def compare(image: Tensor, face_idx: Tensor, sigmainv: float, boxlen: float, knum: int, tolerance: float) -> None:
    """Mask and gradient of the operator against the definition's."""
    weight = torch.rand(face_idx.shape, dtype=image.dtype)
    fast, slow = image.clone().requires_grad_(), image.clone().requires_grad_()

    mask = dibr_soft_mask(fast, face_idx, sigmainv, boxlen, knum)
    expected = reference_soft_mask(slow, face_idx, sigmainv, boxlen, knum)
    (mask * weight).sum().backward()
    (expected * weight).sum().backward()

    torch.testing.assert_close(mask, expected, atol=tolerance / 100, rtol=tolerance)
    torch.testing.assert_close(fast.grad, slow.grad, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("batch", [0, 1, 2])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (24, 24), (11, 33)])
def test_mask_agrees_with_the_definition(batch: int, height: int, width: int):
    """The mask without a face list equals the product over the faces near a pixel, forward and backward."""
    depth, image, features = random_faces(batch, 30, size=0.1)
    _, face_idx = rasterize(height, width, depth, image, features)

    compare(image, face_idx, 50.0, 0.2, 30, 1e-4)


@pytest.mark.parametrize("knum", [1, 2, 5, 40])
@pytest.mark.parametrize("shuffled", [False, True])
def test_only_the_first_knum_faces_count(knum: int, shuffled: bool):
    """Pixels near more than knum of a sphere's faces count the first in index order, wherever in space those lie."""
    depth, image, features = sphere(1, 6, dtype=torch.float64)
    if shuffled:
        order = torch.randperm(image.shape[1])
        depth, image, features = depth[:, order], image[:, order], features[:, order]
    _, face_idx = rasterize(24, 24, depth, image, features)

    compare(image, face_idx, 100.0, 0.3, knum, 1e-3)


def test_float32_agrees_with_float64():
    """Half the precision gives the same mask and gradient to float32's accuracy."""
    depth, image, features = sphere(1, 6, dtype=torch.float64)
    _, face_idx = rasterize(32, 32, depth, image, features)
    results = []
    for dtype in (torch.float32, torch.float64):
        corners = image.to(dtype).requires_grad_()
        mask = dibr_soft_mask(corners, face_idx, 500.0, 0.1, 30)
        mask.square().sum().backward()
        assert mask.dtype == dtype
        results.append((mask.double(), corners.grad.double()))

    torch.testing.assert_close(results[0][0], results[1][0], atol=1e-5, rtol=0)
    torch.testing.assert_close(results[0][1], results[1][1], atol=1e-3, rtol=1e-3)


def test_special_faces_agree_with_the_definition():
    """Thin, point-like and far faces soften as defined; where corners coincide, they share one pull."""
    _, image, _ = special_faces()
    image = torch.cat([image[:, :5], image[:, 6:]], dim=1)
    face_idx = torch.full((1, 20, 20), -1)
    fast, slow = image.clone().requires_grad_(), image.clone().requires_grad_()

    mask = dibr_soft_mask(fast, face_idx, 30.0, 0.3)
    expected = reference_soft_mask(slow, face_idx, 30.0, 0.3, 30)
    mask.square().sum().backward()
    expected.square().sum().backward()

    torch.testing.assert_close(mask, expected, atol=1e-5, rtol=1e-3)
    torch.testing.assert_close(fast.grad.sum(2), slow.grad.sum(2), atol=1e-3, rtol=1e-3)


def test_a_touching_face_fills_the_pixel():
    """A pixel centre on an outline has mask 1, however many faces touch there, and finite gradients."""
    # The centre of pixel (1, 1) of 3 is the origin.
    image = torch.tensor([[[0.0, 0.0], [0.5, 0.1], [0.2, 0.6]]]).repeat(500, 1, 1)[None].requires_grad_()

    mask = dibr_soft_mask(image, torch.full((1, 3, 3), -1), 50.0, 0.1, 1000)
    mask.sum().backward()

    assert mask[0, 1, 1] == 1
    assert image.grad is not None
    assert image.grad.isfinite().all()


def test_covered_pixels_are_full_and_pull_nothing():
    """Where a face is, the mask is the constant 1."""
    _, image, _ = random_faces(1, 4)
    image.requires_grad_()

    mask = dibr_soft_mask(image, torch.zeros(1, 9, 9, dtype=torch.int64))
    mask.sum().backward()

    assert (mask == 1).all()
    assert (image.grad == 0).all()


def test_no_pixel_beyond_the_box_is_reached():
    """The reach ends at half-open boxes enlarged by boxlen, exactly."""
    image = torch.tensor([[[[-8, -8], [2, -8], [2, 2]]]], dtype=torch.float64) / 16

    mask = dibr_soft_mask(image, torch.full((1, 16, 16), -1), sigmainv=1e-3, boxlen=3 / 16)

    # Centres lie at odd sixteenths: the first at -11 is inside, the one at 5 no more.
    inside = [i for i in range(16) if -11 <= 2 * i - 15 < 5]
    expected = torch.zeros(16, 16, dtype=torch.bool)
    expected[torch.tensor([15 - i for i in inside])[:, None], torch.tensor(inside)] = True
    assert torch.equal(mask[0] > 0, expected)
