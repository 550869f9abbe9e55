"""Shrinking RGBA images."""

import numpy as np
import pytest

from genren.data.images import resize_area


def resize_slowly(pixels: np.ndarray, size: int) -> np.ndarray:
    """The definition: every new pixel integrates the old ones under it, one by one, premultiplied."""
    ratio = len(pixels) / size
    result = np.zeros((size, size, 4))
    for row, column in np.ndindex(size, size):
        total = np.zeros(4)
        for i, j in np.ndindex(pixels.shape[:2]):
            height = min(i + 1, (row + 1) * ratio) - max(i, row * ratio)
            width = min(j + 1, (column + 1) * ratio) - max(j, column * ratio)
            if height > 0 and width > 0:
                red, green, blue, alpha = pixels[i, j] / 255
                total += height * width / ratio**2 * np.array([red * alpha, green * alpha, blue * alpha, alpha])
        result[row, column, 3] = np.round(total[3] * 255)
        if result[row, column, 3] > 0:
            result[row, column, :3] = np.round(total[:3] / total[3] * 255)
    return result


@pytest.mark.parametrize(("source", "target"), [(7, 3), (8, 4), (5, 5), (9, 1)])
def test_agrees_with_the_definition(source: int, target: int) -> None:
    """Matrix products equal the integral over areas, for whole and for broken ratios, with holes in the alpha."""
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (source, source, 4), dtype=np.uint8)
    pixels[rng.random((source, source)) < 0.4, 3] = 0

    assert np.abs(resize_area(pixels, target) - resize_slowly(pixels, target)).max() <= 1


def test_transparent_pixels_do_not_bleed() -> None:
    """A red pixel beside a transparent green one shrinks to half-transparent pure red."""
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[:, 0] = (255, 0, 0, 255)
    pixels[:, 1] = (0, 255, 0, 0)

    np.testing.assert_array_equal(resize_area(pixels, 1), [[[255, 0, 0, 128]]])


def test_hidden_colours_are_zeroed() -> None:
    """Where alpha is zero afterwards, RGB is too."""
    pixels = np.full((6, 6, 4), (9, 200, 30, 0), dtype=np.uint8)

    assert not resize_area(pixels, 3).any()


def test_a_faint_part_keeps_its_colour() -> None:
    """A thin bright part among transparency keeps its hue at alpha 1 of 255, where 8-bit premultiplying loses it."""
    pixels = np.zeros((15, 15, 4), dtype=np.uint8)
    pixels[7, 7] = (200, 100, 50, 255)

    np.testing.assert_array_equal(resize_area(pixels, 1), [[[200, 100, 50, 1]]])


def test_batches_are_treated_image_by_image() -> None:
    """A stack of images gives the stack of their results."""
    stack = np.random.default_rng(0).integers(0, 256, (3, 7, 7, 4), dtype=np.uint8)

    np.testing.assert_array_equal(resize_area(stack, 4), [resize_area(image, 4) for image in stack])


def test_halves_are_exact() -> None:
    """A colour that lies half way between two levels rounds to the even one, wherever in the image it is."""
    pixels = np.zeros((10, 10, 4), dtype=np.uint8)
    pixels[::2, :, 0], pixels[1::2, :, 0], pixels[..., 3] = 4, 5, 77

    assert (resize_area(pixels, 5)[..., 0] == 4).all()
    pixels[::2, :, 0] = 6
    assert (resize_area(pixels, 5)[..., 0] == 6).all()
