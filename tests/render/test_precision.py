"""The last digit: pixel centres exactly on edges and boxes, finite differences, float32 beside float64."""

import pytest
import torch
from torch import Tensor

from genren.render import dibr_soft_mask, rasterize

from .reference import reference_rasterize, reference_soft_mask
from .scenes import random_faces


@pytest.mark.parametrize("clockwise", [False, True])
def test_centres_on_edges_are_inside(clockwise: bool):
    """A centre on an edge is covered, whichever way round the face is, unless its half-open box ends there."""
    # Odd sixteenths are pixel centres, and exact when multiplied.
    image = (torch.randint(-8, 8, (1, 200, 3, 2), dtype=torch.float64) * 2 + 1) / 16
    area = torch.linalg.det(image[:, :, 1:] - image[:, :, :1])
    image = image[:, (area[0] < 0) == clockwise]
    image = image[:, area[0, (area[0] < 0) == clockwise] != 0]
    for corners in image[0].split(1):
        depth, features = -torch.ones(1, 1, 3, dtype=torch.float64), torch.rand(1, 1, 3, 1, dtype=torch.float64)

        expected, expected_idx = reference_rasterize(16, 16, depth, corners[None], features)
        drawn, face_idx = rasterize(16, 16, depth, corners[None], features)

        assert torch.equal(face_idx, expected_idx)
        torch.testing.assert_close(drawn, expected)


@pytest.mark.parametrize("axis", [0, 1])
def test_a_box_is_half_open_where_faces_overflow_too(axis: int):
    """Pixels with more than knum faces near count a face by the same half-open box as others."""
    # Boxes enlarged by 3/16 begin and end on pixel centres.
    first = torch.tensor([[-8, -8], [2, -8], [2, 2]]) / 16
    others = torch.tensor([[[-1.0, -1.0], [1.0, -1.0], [0.0, 1.0]]]).repeat(5, 1, 1)
    image = torch.cat([first[None], others])[None].double().roll(axis, dims=-1)
    face_idx = torch.full((1, 16, 16), -1)

    mask = dibr_soft_mask(image, face_idx, 1.0, 3 / 16, 2)

    torch.testing.assert_close(mask, reference_soft_mask(image, face_idx, 1.0, 3 / 16, 2))


def test_colours_of_many_faces_have_the_gradient_of_finite_differences():
    """Overlapping faces, some culled, some partly outside of the image."""
    depth, image, features = random_faces(2, 6)
    valid = torch.rand(2, 6) > 0.3

    def draw(image: Tensor, features: Tensor) -> Tensor:
        return rasterize(7, 9, depth, image, features, valid)[0]

    assert torch.autograd.gradcheck(draw, (image.requires_grad_(), features.requires_grad_()))


@pytest.mark.parametrize("knum", [2, 30])
def test_the_mask_of_many_faces_has_the_gradient_of_finite_differences(knum: int):
    """Edges and corners of several faces at once, with and without more of them than count."""
    _, image, _ = random_faces(2, 6, size=0.2)
    face_idx = torch.randint(-1, 1, (2, 7, 9)).clamp_max(0)

    assert torch.autograd.gradcheck(
        lambda image: dibr_soft_mask(image, face_idx, 20.0, 0.4, knum), (image.requires_grad_(),)
    )


@pytest.mark.parametrize(("height", "width"), [(1, 1), (19, 30)])
def test_float32_agrees_with_the_definition_in_float64(height: int, width: int):
    """Half the precision draws the same faces, colours and gradients to float32's accuracy."""
    depth, image, features = (t.float() for t in random_faces(2, 40))
    wide = [t.double() for t in (depth, image, features)]
    weight = torch.rand(2, height, width, 3)

    expected, expected_idx = reference_rasterize(
        height, width, wide[0], wide[1].requires_grad_(), wide[2].requires_grad_()
    )
    drawn, face_idx = rasterize(height, width, depth, image.requires_grad_(), features.requires_grad_())
    (expected * weight).sum().backward()
    (drawn * weight).sum().backward()

    assert drawn.dtype == torch.float32
    assert torch.equal(face_idx, expected_idx)
    torch.testing.assert_close(drawn.double(), expected, atol=1e-5, rtol=1e-4)
    for found, wanted in ((image.grad, wide[1].grad), (features.grad, wide[2].grad)):
        assert found is not None
        assert wanted is not None
        assert (found - wanted).norm() <= 1e-4 * wanted.norm()
