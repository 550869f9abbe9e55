"""Arithmetic on RGBA images with straight alpha."""

import functools

import numpy as np


def resize_area(pixels: np.ndarray, size: int) -> np.ndarray:
    """Shrink (..., S, S, 4) uint8 straight RGBA to (..., size, size, 4); RGB is zero wherever the new alpha is.

    Every new pixel is the exact mean of the area it covers, fractions of pixels included. Colours are averaged
    premultiplied, in the values that the file holds, as the field's data were. Nothing is rounded but the result:
    weights are counted in 1/size of a pixel, so that every sum is a whole number, and thin, nearly transparent parts
    keep the colours that 8-bit premultiplied values would lose.
    """
    flat = pixels.reshape(-1, *pixels.shape[-3:])
    shrunk = np.zeros((len(flat), size, size, 4), dtype=np.uint8)
    for image, result in zip(flat, shrunk, strict=True):
        _shrink(image, result)
    return shrunk.reshape(*pixels.shape[:-3], size, size, 4)


def _shrink(image: np.ndarray, result: np.ndarray) -> None:
    """Shrink one image into zeros; only the box of its foreground, a third of a typical render, is computed."""
    length, size = len(image), len(result)
    opaque = np.ascontiguousarray(image[..., 3]) > 0
    in_rows = np.asarray(opaque.any(axis=1))
    if not in_rows.any():
        return
    rows, new_rows = _span(in_rows, size)
    columns, new_columns = _span(np.asarray(opaque[rows].any(axis=0)), size)

    # Sums over rows stay below 255^2 * length, those over both below 255^2 * length^2: up to 256 pixels float32 holds
    # every whole number that the first can be, and float64 those of the second.
    weights = _weights(length, size)
    planes = np.empty((4, rows.stop - rows.start, columns.stop - columns.start), np.float32 if length <= 256 else float)
    planes[:] = image[rows, columns].transpose(2, 0, 1)
    planes[:3] *= planes[3]
    sums = weights[new_rows, rows] @ (planes @ weights[new_columns, columns].T.astype(planes.dtype)).astype(np.float64)

    alpha = np.rint(sums[3] / length**2)
    sums[:3] /= np.maximum(sums[3], 1)
    np.rint(sums[:3], out=sums[:3])
    sums[3] = alpha
    result[new_rows, new_columns] = (sums * (alpha > 0)).transpose(1, 2, 0)


def _span(used: np.ndarray, size: int) -> tuple[slice, slice]:
    """From the first to the last pixel in use, and the new pixels that cover them."""
    places = np.flatnonzero(used)
    start, stop = int(places[0]), int(places[-1]) + 1
    return slice(start, stop), slice(start * size // len(used), -(-stop * size // len(used)))


@functools.lru_cache
def _weights(length: int, size: int) -> np.ndarray:
    """Overlap (size, length) of new pixel j with old pixel i, in 1/size of an old one; whole numbers as float64."""
    old, new = np.arange(length) * size, np.arange(size)[:, None] * length
    overlap = np.minimum(old + size, new + length) - np.maximum(old, new)
    return overlap.clip(min=0).astype(np.float64)
