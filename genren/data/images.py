"""Arithmetic on RGBA images with straight alpha."""

import numpy as np


def resize_area(pixels: np.ndarray, size: int) -> np.ndarray:
    """Shrink (..., S, S, 4) uint8 straight RGBA to (..., size, size, 4); RGB is zero wherever the new alpha is.

    Every new pixel is the exact mean of the area it covers, fractions of pixels included. Colours are averaged
    premultiplied, in the values that the file holds, as the field's data were; computing in floats keeps the colours of
    thin, nearly transparent parts, which 8-bit premultiplied values would round away.
    """
    planes = np.moveaxis(pixels, -1, -3).astype(np.float64)  # (..., 4, S, S)
    planes[..., :3, :, :] *= planes[..., 3:, :, :] / 255
    planes = _mean_columns(_mean_columns(planes, size).swapaxes(-1, -2), size).swapaxes(-1, -2)
    alpha = np.round(planes[..., 3:, :, :])
    colors = np.round(planes[..., :3, :, :] * (255 / np.maximum(planes[..., 3:, :, :], 1e-3))).clip(max=255)
    shrunk = np.concatenate([np.where(alpha > 0, colors, 0), alpha], axis=-3)
    return np.ascontiguousarray(np.moveaxis(shrunk, -3, -1), dtype=np.uint8)


def _mean_columns(values: np.ndarray, size: int) -> np.ndarray:
    """Means (..., size) over equal shares of the last axis: differences of its integral at the shares' edges."""
    length = values.shape[-1]
    edges = np.arange(size + 1) * (length / size)
    whole = np.minimum(edges.astype(np.int64), length - 1)
    before = np.cumsum(values, axis=-1) - values
    return np.diff(before[..., whole] + (edges - whole) * values[..., whole], axis=-1) * (size / length)
