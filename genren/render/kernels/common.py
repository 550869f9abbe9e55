"""What every kernel needs: pixel centres, index ranges of bounding boxes, corners, barycentric weights."""

from types import SimpleNamespace
from typing import Any

import warp as wp


def common(scalar: Any) -> SimpleNamespace:
    """Functions and vector types for `wp.float32` or `wp.float64`."""
    vec2, vec3 = (wp.types.vector(length=n, dtype=scalar) for n in (2, 3))

    @wp.func
    def pixel_x(column: int, width: int, multiplier: scalar):
        return multiplier / scalar(width) * scalar(2 * column + 1 - width)

    @wp.func
    def pixel_y(row: int, height: int, multiplier: scalar):
        return multiplier / scalar(height) * scalar(height - 2 * row - 1)

    @wp.func
    def first_index(coordinate: scalar, size: int, multiplier: scalar):
        # First pixel whose centre may be at or beyond `coordinate`, one to spare for rounding; clamped before the cast,
        # since a huge or not-a-number coordinate has no integer.
        index = (coordinate / multiplier + scalar(1.0)) * scalar(size) * scalar(0.5) - scalar(1.5)
        return int(wp.max(scalar(0.0), wp.min(scalar(size), index)))

    @wp.func
    def last_index(coordinate: scalar, size: int, multiplier: scalar):
        index = (coordinate / multiplier + scalar(1.0)) * scalar(size) * scalar(0.5) + scalar(1.5)
        return int(wp.max(scalar(0.0), wp.min(scalar(size), index)))

    @wp.func
    def corner(image: wp.array4d(dtype=scalar), b: int, f: int, k: int, multiplier: scalar):
        return vec2(image[b, f, k, 0] * multiplier, image[b, f, k, 1] * multiplier)

    @wp.func
    def barycentric(p: vec2, a: vec2, b: vec2, c: vec2, eps: scalar):
        pa = a - p
        pb = b - p
        pc = c - p
        w0 = pb[0] * pc[1] - pb[1] * pc[0]
        w1 = pc[0] * pa[1] - pc[1] * pa[0]
        w2 = pa[0] * pb[1] - pa[1] * pb[0]
        norm = w0 + w1 + w2
        if norm < scalar(0.0):
            norm -= eps
        else:
            norm += eps
        return vec3(w0 / norm, w1 / norm, w2 / norm)

    return SimpleNamespace(
        vec2=vec2,
        pixel_x=pixel_x,
        pixel_y=pixel_y,
        first_index=first_index,
        last_index=last_index,
        corner=corner,
        barycentric=barycentric,
    )
