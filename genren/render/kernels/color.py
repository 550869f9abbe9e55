"""Visibility by a z-buffer, and features interpolated over the visible faces.

Face-parallel over the pixels of each bounding box; a 64-bit key (depth above, face below) resolves visibility with one
atomic maximum. The backward kernel walks the same boxes and gathers what its own face drew: it stores no weights, and
adds up in a fixed order.
"""

from types import SimpleNamespace
from typing import Any

import warp as wp


def color_kernels(scalar: Any, c: SimpleNamespace) -> list[Any]:
    """Kernels `visibility`, `interpolate` and `interpolate_backward`, from the functions of `common`."""
    vec2, pixel_x, pixel_y, triangle, box = c.vec2, c.pixel_x, c.pixel_y, c.triangle, c.box
    areas, inside, away_from_zero, barycentric = c.areas, c.inside, c.away_from_zero, c.barycentric
    double = scalar == wp.float64
    unsigned = wp.uint64 if double else wp.uint32
    sign_place = 63 if double else 31

    @wp.func
    def ordered(depth: scalar):
        # Unsigned integers in the order of the floats: flip all bits of negatives, the sign bit of the others.
        # Adding 0 makes -0 equal to 0.
        bits = wp.cast(depth + scalar(0.0), unsigned)
        sign = unsigned(1) << unsigned(sign_place)
        if (bits & sign) != unsigned(0):
            return ~bits
        return bits | sign

    @wp.func
    def offer(
        depth: scalar,
        f: int,
        n: int,
        row: int,
        column: int,
        settle: bool,
        nearest: wp.array3d(dtype=wp.uint64),
        key: wp.array3d(dtype=wp.uint64),
    ):
        # The nearest face wins (z grows towards the camera), and of equals the one with the lowest index.
        last = wp.uint64(~wp.uint32(f))
        if wp.static(double):
            # A double fills a key of its own: the first pass finds the depth, the second the first face that has it.
            if not settle:
                wp.atomic_max(nearest, n, row, column, wp.uint64(ordered(depth)))
            elif wp.uint64(ordered(depth)) == nearest[n, row, column]:
                wp.atomic_max(key, n, row, column, last)
        else:
            wp.atomic_max(key, n, row, column, (wp.uint64(ordered(depth)) << wp.uint64(32)) | last)

    @wp.kernel(module="unique")
    def visibility(
        face_vertices_z: wp.array3d(dtype=scalar),
        face_vertices_image: wp.array4d(dtype=scalar),
        valid_faces: wp.array2d(dtype=wp.bool),
        multiplier: scalar,
        top: int,
        bottom: int,
        lanes: int,
        eps: scalar,
        settle: bool,
        nearest: wp.array3d(dtype=wp.uint64),
        key: wp.array3d(dtype=wp.uint64),
    ):
        n, f, lane = wp.tid()
        if not valid_faces[n, f]:
            return
        height = key.shape[1]
        width = key.shape[2]
        t = triangle(face_vertices_image, n, f, multiplier)
        pixels = box(t, scalar(0.0), height, width, multiplier)
        for row in range(wp.max(pixels[2], top) + lane, wp.min(pixels[3], bottom), lanes):
            y = pixel_y(row, height, multiplier)
            for column in range(pixels[0], pixels[1]):
                spans = areas(vec2(pixel_x(column, width, multiplier), y), t)
                if inside(spans):
                    w = barycentric(spans, eps)
                    depth = (
                        w[0] * face_vertices_z[n, f, 0]
                        + w[1] * face_vertices_z[n, f, 1]
                        + w[2] * face_vertices_z[n, f, 2]
                    )
                    offer(depth, f, n, row, column, settle, nearest, key)

    @wp.func
    def weights_at(
        image: wp.array4d(dtype=scalar),
        n: int,
        f: int,
        row: int,
        column: int,
        height: int,
        width: int,
        multiplier: scalar,
        eps: scalar,
    ):
        p = vec2(pixel_x(column, width, multiplier), pixel_y(row, height, multiplier))
        return barycentric(areas(p, triangle(image, n, f, multiplier)), eps)

    @wp.kernel(module="unique")
    def interpolate(
        key: wp.array3d(dtype=wp.uint64),
        face_vertices_image: wp.array4d(dtype=scalar),
        face_features: wp.array4d(dtype=scalar),
        multiplier: scalar,
        top: int,
        eps: scalar,
        face_idx: wp.array3d(dtype=wp.int64),
        features: wp.array4d(dtype=scalar),
    ):
        # `face_idx` may be the memory of `key`: each thread reads its pixel before it writes it.
        n, band_row, column = wp.tid()
        row = top + band_row
        if key[n, row, column] == wp.uint64(0):
            face_idx[n, row, column] = wp.int64(-1)
            for d in range(features.shape[3]):
                features[n, row, column, d] = scalar(0.0)
            return
        f = int(~wp.uint32(key[n, row, column]))
        face_idx[n, row, column] = wp.int64(f)
        w = weights_at(face_vertices_image, n, f, row, column, key.shape[1], key.shape[2], multiplier, eps)
        for d in range(features.shape[3]):
            features[n, row, column, d] = (
                w[0] * face_features[n, f, 0, d] + w[1] * face_features[n, f, 1, d] + w[2] * face_features[n, f, 2, d]
            )

    @wp.func
    def turned(v: vec2):
        # The gradient of cross(s, v) by s.
        return vec2(v[1], -v[0])

    @wp.kernel(module="unique")
    def interpolate_backward(
        grad_features: wp.array4d(dtype=scalar),
        face_idx: wp.array3d(dtype=wp.int64),
        face_vertices_image: wp.array4d(dtype=scalar),
        face_features: wp.array4d(dtype=scalar),
        multiplier: scalar,
        first: int,
        lanes: int,
        eps: scalar,
        grad_image: wp.array4d(dtype=scalar),
        grad_face_features: wp.array4d(dtype=scalar),
    ):
        n, share_face, lane = wp.tid()
        f = first + share_face
        height = face_idx.shape[1]
        width = face_idx.shape[2]
        t = triangle(face_vertices_image, n, f, multiplier)
        pixels = box(t, scalar(0.0), height, width, multiplier)

        one = (t.b - t.a) / multiplier
        two = (t.c - t.a) / multiplier
        area = away_from_zero(one[0] * two[1] - one[1] * two[0], eps)
        grad_a = vec2(scalar(0.0), scalar(0.0))
        grad_b = vec2(scalar(0.0), scalar(0.0))
        grad_c = vec2(scalar(0.0), scalar(0.0))
        for row in range(pixels[2] + lane, pixels[3], lanes):
            for column in range(pixels[0], pixels[1]):
                if face_idx[n, row, column] == wp.int64(f):
                    w = weights_at(face_vertices_image, n, f, row, column, height, width, multiplier, eps)
                    rise1 = scalar(0.0)
                    rise2 = scalar(0.0)
                    for d in range(grad_features.shape[3]):
                        g = grad_features[n, row, column, d]
                        for k in range(3):
                            wp.atomic_add(grad_face_features, n, f, k, d, g * w[k])
                        rise1 += g * (face_features[n, f, 1, d] - face_features[n, f, 0, d])
                        rise2 += g * (face_features[n, f, 2, d] - face_features[n, f, 0, d])
                    # The loss is linear over a face, rise1 u + rise2 v, u = (s x two) / area and v = (one x s) / area:
                    # differentiated at the point that the weights make, which stays; the area holds `eps`.
                    s = w[1] * one + w[2] * two + (w[0] + w[1] + w[2] - scalar(1.0)) * t.a / multiplier
                    by_s = (rise1 * turned(two) - rise2 * turned(one)) / area
                    value = wp.dot(by_s, s)
                    by_one = (rise2 * turned(s) - value * turned(two)) / area
                    by_two = (value * turned(one) - rise1 * turned(s)) / area
                    grad_a -= by_s + by_one + by_two
                    grad_b += by_one
                    grad_c += by_two
        for i in range(2):
            wp.atomic_add(grad_image, n, f, 0, i, grad_a[i])
            wp.atomic_add(grad_image, n, f, 1, i, grad_b[i])
            wp.atomic_add(grad_image, n, f, 2, i, grad_c[i])

    return [visibility, interpolate, interpolate_backward]
