"""What every kernel needs: pixel centres, index ranges of bounding boxes, corners, barycentric weights."""

from types import SimpleNamespace
from typing import Any

import warp as wp


def common(scalar: Any) -> SimpleNamespace:
    """Functions and vector types for `wp.float32` or `wp.float64`. Coordinates are NDC times the multiplier."""
    vec2, vec3 = (wp.types.vector(length=n, dtype=scalar) for n in (2, 3))

    @wp.func
    def pixel_x(column: int, width: int, multiplier: scalar):
        return multiplier / scalar(width) * scalar(2 * column + 1 - width)

    @wp.func
    def pixel_y(row: int, height: int, multiplier: scalar):
        return multiplier / scalar(height) * scalar(height - 2 * row - 1)

    @wp.func
    def first_column(x: scalar, width: int, multiplier: scalar):
        # The first column whose centre is at or beyond x, `width` if there is none: a guess that rounding can only make
        # too small, by less than one. Clamped before the cast, since a huge coordinate has no integer; NaN gives 0.
        half = scalar(width) * scalar(0.5)
        guess = wp.ceil(x * (half / multiplier) + (half - scalar(0.51)))
        column = wp.int32(0)
        if guess > scalar(0.0):
            column = int(wp.min(guess, scalar(width)))
        if column < width and pixel_x(column, width, multiplier) < x:
            column += 1
        return column

    @wp.func
    def first_row(y: scalar, height: int, multiplier: scalar):
        # The first row whose centre is below y; rows run down while y runs up.
        half = scalar(height) * scalar(0.5)
        guess = wp.ceil((half - scalar(0.51)) - y * (half / multiplier))
        row = wp.int32(0)
        if guess > scalar(0.0):
            row = int(wp.min(guess, scalar(height)))
        if row < height and pixel_y(row, height, multiplier) >= y:
            row += 1
        return row

    @wp.func
    def corner(image: wp.array4d(dtype=scalar), n: int, f: int, k: int, multiplier: scalar):
        return vec2(image[n, f, k, 0] * multiplier, image[n, f, k, 1] * multiplier)

    @wp.struct
    class Triangle:
        a: vec2
        b: vec2
        c: vec2

    @wp.func
    def triangle(image: wp.array4d(dtype=scalar), n: int, f: int, multiplier: scalar):
        t = Triangle()
        t.a = corner(image, n, f, 0, multiplier)
        t.b = corner(image, n, f, 1, multiplier)
        t.c = corner(image, n, f, 2, multiplier)
        return t

    @wp.func
    def box(t: Triangle, margin: scalar, height: int, width: int, multiplier: scalar):
        # Pixels whose centres lie in the half-open box around a triangle: columns [0], [1]) and rows [2], [3]).
        low = wp.min(t.a, wp.min(t.b, t.c))
        high = wp.max(t.a, wp.max(t.b, t.c))
        return wp.vec4i(
            first_column(low[0] - margin, width, multiplier),
            first_column(high[0] + margin, width, multiplier),
            first_row(high[1] + margin, height, multiplier),
            first_row(low[1] - margin, height, multiplier),
        )

    @wp.func
    def areas(p: vec2, t: Triangle):
        # Twice the signed areas that p spans with each edge.
        pa = t.a - p
        pb = t.b - p
        pc = t.c - p
        return vec3(pb[0] * pc[1] - pb[1] * pc[0], pc[0] * pa[1] - pc[1] * pa[0], pa[0] * pb[1] - pa[1] * pb[0])

    @wp.func
    def inside(w: vec3):
        # As the signs of the barycentric weights, without their division; never true of NaN.
        if w[0] + w[1] + w[2] < scalar(0.0):
            return w[0] <= scalar(0.0) and w[1] <= scalar(0.0) and w[2] <= scalar(0.0)
        return w[0] >= scalar(0.0) and w[1] >= scalar(0.0) and w[2] >= scalar(0.0)

    @wp.func
    def away_from_zero(x: scalar, eps: scalar):
        if x < scalar(0.0):
            return x - eps
        return x + eps

    @wp.func
    def barycentric(w: vec3, eps: scalar):
        norm = away_from_zero(w[0] + w[1] + w[2], eps)
        return vec3(w[0] / norm, w[1] / norm, w[2] / norm)

    return SimpleNamespace(
        vec2=vec2,
        vec3=vec3,
        pixel_x=pixel_x,
        pixel_y=pixel_y,
        corner=corner,
        Triangle=Triangle,
        triangle=triangle,
        box=box,
        areas=areas,
        inside=inside,
        away_from_zero=away_from_zero,
        barycentric=barycentric,
    )
