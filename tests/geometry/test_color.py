"""The sRGB curve."""

import numpy as np

from genren.geometry.color import linear_to_srgb, srgb_to_linear


def test_known_values() -> None:
    """The curve is that of IEC 61966-2-1: 0.5 is 0.214 of the light, and the dark end is a straight line."""
    np.testing.assert_allclose(srgb_to_linear(np.array([0, 0.02, 0.5, 1])), [0, 0.02 / 12.92, 0.2140411, 1], rtol=1e-6)


def test_the_directions_undo_each_other() -> None:
    """All 256 levels of a file survive the way to linear light and back."""
    levels = np.arange(256)

    np.testing.assert_array_equal(np.round(255 * linear_to_srgb(srgb_to_linear(levels / 255))), levels)
