"""Visibility by a z-buffer, and features interpolated over the visible faces.

Face-parallel over the pixels of each bounding box; a 64-bit key (depth above, face below) resolves visibility with one
atomic maximum. The backward kernel recomputes the weights instead of storing them.
"""

from types import SimpleNamespace
from typing import Any

import warp as wp


def color_kernels(scalar: Any, c: SimpleNamespace) -> list[Any]:
    """Kernels `visibility`, `interpolate` and `interpolate_backward`, from the functions of `common`."""
    vec2, pixel_x, pixel_y = c.vec2, c.pixel_x, c.pixel_y
    first_index, last_index, corner, barycentric = c.first_index, c.last_index, c.corner, c.barycentric

    @wp.func
    def ordered(depth: scalar):
        # Unsigned integers in the order of the floats: flip all bits of negatives, the sign bit of the others.
        bits = wp.cast(wp.float32(depth), wp.uint32)
        sign = wp.uint32(1) << wp.uint32(31)
        if (bits & sign) != wp.uint32(0):
            return ~bits
        return bits | sign

    @wp.kernel(module="unique")
    def visibility(
        face_vertices_z: wp.array3d(dtype=scalar),
        face_vertices_image: wp.array4d(dtype=scalar),
        valid_faces: wp.array2d(dtype=wp.bool),
        multiplier: scalar,
        eps: scalar,
        key: wp.array3d(dtype=wp.uint64),
    ):
        n, f = wp.tid()
        if not valid_faces[n, f]:
            return
        height = key.shape[1]
        width = key.shape[2]
        a = corner(face_vertices_image, n, f, 0, multiplier)
        b = corner(face_vertices_image, n, f, 1, multiplier)
        c = corner(face_vertices_image, n, f, 2, multiplier)
        x_min = wp.min(a[0], wp.min(b[0], c[0]))
        x_max = wp.max(a[0], wp.max(b[0], c[0]))
        y_min = wp.min(a[1], wp.min(b[1], c[1]))
        y_max = wp.max(a[1], wp.max(b[1], c[1]))
        # Rows run down while y runs up.
        for row in range(first_index(-y_max, height, multiplier), last_index(-y_min, height, multiplier)):
            y = pixel_y(row, height, multiplier)
            if y < y_min or y >= y_max:
                continue
            for column in range(first_index(x_min, width, multiplier), last_index(x_max, width, multiplier)):
                x = pixel_x(column, width, multiplier)
                if x < x_min or x >= x_max:
                    continue
                w = barycentric(vec2(x, y), a, b, c, eps)
                if w[0] >= scalar(0.0) and w[1] >= scalar(0.0) and w[2] >= scalar(0.0):
                    z = (
                        w[0] * face_vertices_z[n, f, 0]
                        + w[1] * face_vertices_z[n, f, 1]
                        + w[2] * face_vertices_z[n, f, 2]
                    )
                    # Nearest wins (z grows towards the camera); of equals the face with the lowest index.
                    face_bits = wp.uint64(~wp.uint32(f))
                    wp.atomic_max(key, n, row, column, (wp.uint64(ordered(z)) << wp.uint64(32)) | face_bits)

    @wp.kernel(module="unique")
    def interpolate(
        key: wp.array3d(dtype=wp.uint64),
        face_vertices_image: wp.array4d(dtype=scalar),
        face_features: wp.array4d(dtype=scalar),
        multiplier: scalar,
        eps: scalar,
        face_idx: wp.array3d(dtype=wp.int64),
        features: wp.array4d(dtype=scalar),
    ):
        n, row, column = wp.tid()
        if key[n, row, column] == wp.uint64(0):
            face_idx[n, row, column] = wp.int64(-1)
            return
        f = int(~wp.uint32(key[n, row, column]))
        face_idx[n, row, column] = wp.int64(f)
        p = vec2(pixel_x(column, key.shape[2], multiplier), pixel_y(row, key.shape[1], multiplier))
        a = corner(face_vertices_image, n, f, 0, multiplier)
        b = corner(face_vertices_image, n, f, 1, multiplier)
        c = corner(face_vertices_image, n, f, 2, multiplier)
        w = barycentric(p, a, b, c, eps)
        for d in range(features.shape[3]):
            features[n, row, column, d] = (
                w[0] * face_features[n, f, 0, d] + w[1] * face_features[n, f, 1, d] + w[2] * face_features[n, f, 2, d]
            )

    @wp.kernel(module="unique")
    def interpolate_backward(
        grad_features: wp.array4d(dtype=scalar),
        face_idx: wp.array3d(dtype=wp.int64),
        face_vertices_image: wp.array4d(dtype=scalar),
        face_features: wp.array4d(dtype=scalar),
        multiplier: scalar,
        eps: scalar,
        grad_image: wp.array4d(dtype=scalar),
        grad_face_features: wp.array4d(dtype=scalar),
    ):
        n, row, column = wp.tid()
        f = int(face_idx[n, row, column])
        if f < 0:
            return
        p = vec2(
            pixel_x(column, face_idx.shape[2], multiplier),
            pixel_y(row, face_idx.shape[1], multiplier),
        )
        a = corner(face_vertices_image, n, f, 0, multiplier)
        b = corner(face_vertices_image, n, f, 1, multiplier)
        c = corner(face_vertices_image, n, f, 2, multiplier)
        w = barycentric(p, a, b, c, eps)

        # Slope over the image plane, in NDC, of the loss's linear form in this face's features.
        one = corner(face_vertices_image, n, f, 1, scalar(1.0)) - corner(face_vertices_image, n, f, 0, scalar(1.0))
        two = corner(face_vertices_image, n, f, 2, scalar(1.0)) - corner(face_vertices_image, n, f, 0, scalar(1.0))
        area = one[0] * two[1] - one[1] * two[0]
        if area < scalar(0.0):
            area -= eps
        else:
            area += eps
        slope = vec2(scalar(0.0), scalar(0.0))
        for d in range(grad_features.shape[3]):
            g = grad_features[n, row, column, d]
            for k in range(3):
                wp.atomic_add(grad_face_features, n, f, k, d, g * w[k])
            rise1 = face_features[n, f, 1, d] - face_features[n, f, 0, d]
            rise2 = face_features[n, f, 2, d] - face_features[n, f, 0, d]
            slope += vec2(rise1 * two[1] - rise2 * one[1], rise2 * one[0] - rise1 * two[0]) * (g / area)
        # A corner that moves by d carries the linear field along by its own weight: dI = -w_k (slope . d).
        for k in range(3):
            wp.atomic_add(grad_image, n, f, k, 0, -w[k] * slope[0])
            wp.atomic_add(grad_image, n, f, k, 1, -w[k] * slope[1])

    return [visibility, interpolate, interpolate_backward]
