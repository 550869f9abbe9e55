"""Reading textures: where texels are, what lies beyond the border, gradients, and the deterministic path."""

import pytest
import torch

from genren.render import texture_mapping
from genren.render.texture import gather

CORNERS = torch.tensor([[[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]])


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_the_origin_is_the_lower_left_corner(mode: str):
    """Coordinate u runs right, v up; corners of the map read its corner texels."""
    maps = torch.arange(6.0).view(1, 1, 2, 3)

    values = texture_mapping(CORNERS, maps, mode)

    assert values[0, :, 0].tolist() == [3, 5, 0, 2]


def test_texel_centres_are_half_a_texel_inside():
    """Bilinear reading at a texel's centre gives the texel, half-way between two their mean."""
    maps = torch.tensor([[[[0.0, 1.0, 4.0]]]])
    uv = torch.tensor([[[1 / 6, 0.5], [1 / 3, 0.5], [0.5, 0.5], [5 / 6, 0.5]]])

    assert texture_mapping(uv, maps, "bilinear")[0, :, 0].tolist() == pytest.approx([0, 0.5, 1, 4], abs=1e-6)


def test_beyond_the_border_the_border_is_read():
    """Coordinates are clamped to [0, 1]."""
    maps = torch.rand(1, 3, 4, 5)
    outside = CORNERS * 3 - 1

    assert torch.equal(texture_mapping(outside, maps), texture_mapping(CORNERS, maps))


def test_dense_and_sparse_coordinates_read_the_same():
    """An image of coordinates is a list of points in rows, channels last; the argument stays as it was."""
    maps, dense = torch.rand(2, 3, 8, 8), torch.rand(2, 4, 5, 2)
    before = dense.clone()

    image = texture_mapping(dense, maps, "bilinear")

    assert image.shape == (2, 4, 5, 3)
    assert torch.equal(image.flatten(1, 2), texture_mapping(dense.flatten(1, 2), maps, "bilinear"))
    assert torch.equal(dense, before)


def test_gradients_are_those_of_finite_differences():
    """Maps and coordinates learn through bilinear reading."""
    maps = torch.rand(1, 2, 4, 5, dtype=torch.float64, requires_grad=True)
    uv = (0.1 + 0.8 * torch.rand(1, 9, 2, dtype=torch.float64)).requires_grad_()

    assert torch.autograd.gradcheck(lambda *a: texture_mapping(*a, "bilinear"), (uv, maps))


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_the_deterministic_path_reads_the_same(mode: str):
    """Picking texels equals `grid_sample`, values and gradients."""
    maps = torch.rand(2, 3, 5, 7, dtype=torch.float64, requires_grad=True)
    uv = torch.rand(2, 50, 2, dtype=torch.float64, requires_grad=True)
    weight = torch.rand(2, 50, 3, dtype=torch.float64)
    learned = [maps, uv] if mode == "bilinear" else [maps]

    sampled, picked = texture_mapping(uv, maps, mode), gather(uv, maps, mode)
    expected = torch.autograd.grad((sampled * weight).sum(), learned)
    found = torch.autograd.grad((picked * weight).sum(), learned)

    torch.testing.assert_close(picked, sampled)
    for a, b in zip(found, expected, strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_the_deterministic_path_stays_inside_the_map(mode: str):
    """The corners of every map of the batch are read as `grid_sample` reads them, the last texel's neighbours too."""
    maps = torch.rand(2, 3, 5, 7, dtype=torch.float64)
    uv = CORNERS.double().repeat(2, 1, 1)

    torch.testing.assert_close(gather(uv, maps, mode), texture_mapping(uv, maps, mode))


@pytest.mark.parametrize(
    ("uv", "maps", "mode", "message"),
    [
        (torch.rand(1, 4, 3), torch.rand(1, 3, 4, 4), "nearest", r"texture_coordinates must be .*, got \(1, 4, 3\)"),
        (
            torch.rand(2, 4, 2),
            torch.rand(1, 3, 4, 4),
            "nearest",
            r"texture_coordinates must be \(1, .*, got \(2, 4, 2\)",
        ),
        (
            torch.rand(1, 4, 2),
            torch.rand(3, 4, 4),
            "nearest",
            r"texture_maps must be \(B, C, h, w\), .*, got \(3, 4, 4\)",
        ),
        (torch.rand(1, 4, 2), torch.rand(1, 3, 0, 4), "nearest", r"texture_maps must be .*, got \(1, 3, 0, 4\)"),
        (torch.rand(1, 4, 2).double(), torch.rand(1, 3, 4, 4), "nearest", "texture_coordinates must be torch.float32"),
        (torch.rand(1, 4, 2, device="meta"), torch.rand(1, 3, 4, 4), "nearest", "texture_coordinates must be on cpu"),
        (
            torch.rand(1, 4, 2).half(),
            torch.rand(1, 3, 4, 4).half(),
            "nearest",
            "texture_maps must be float32 or float64",
        ),
        (torch.rand(1, 4, 2), torch.rand(1, 3, 4, 4), "linear", "mode must be one of nearest, bilinear, bicubic"),
    ],
)
def test_what_is_wrong_is_named(uv: torch.Tensor, maps: torch.Tensor, mode: str, message: str):
    """Shapes, types, devices and modes."""
    with pytest.raises(ValueError, match=message):
        texture_mapping(uv, maps, mode)
