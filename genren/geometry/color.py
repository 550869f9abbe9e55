"""Between sRGB, which image files hold, and linear light, in which colours multiply and average."""

import numpy as np


def srgb_to_linear(srgb: np.ndarray) -> np.ndarray:
    """Linear light of sRGB values, both in [0, 1], any shape."""
    srgb = np.asarray(srgb, dtype=np.float64)
    return np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)


def linear_to_srgb(linear: np.ndarray) -> np.ndarray:
    """SRGB values of linear light, both in [0, 1], any shape."""
    linear = np.asarray(linear, dtype=np.float64)
    return np.where(linear <= 0.0031308, linear * 12.92, 1.055 * np.maximum(linear, 0.0031308) ** (1 / 2.4) - 0.055)
