"""Warp kernels of DIB-R, one source for CPU and CUDA, in float32 and float64.

The plan: visibility and soft mask are face-parallel and walk the pixels of each face's bounding box, so the cost is
that of the faces plus the pixels they touch. A 64-bit key (depth above, face below) resolves visibility with one atomic
maximum. The soft mask keeps no list of faces per pixel: a sum of logarithms and a count are enough, and the rare pixels
with more than `knum` faces are walked once more in index order. Backward kernels recompute instead of storing.
"""

from functools import cache
from threading import Lock
from types import SimpleNamespace
from typing import Any

import warp as wp

wp.config.log_level = wp.LOG_ERROR
wp.config.enable_backward = False

# Kaolin's guard against division by zero in the distance to a degenerate edge.
EDGE_EPS = 1e-7


_BUILDING = Lock()


def kernels(scalar: Any, device: str) -> SimpleNamespace:
    """The kernels for `wp.float32` or `wp.float64` on a device; the first caller builds them, others wait."""
    with _BUILDING:
        return _build(scalar, device)


@cache
def _build(scalar: Any, device: str) -> SimpleNamespace:
    """Build the kernels for `wp.float32` or `wp.float64` and load them on a device; Warp keeps the binaries."""
    wp.init()
    vec2, vec3 = (wp.types.vector(length=n, dtype=scalar) for n in (2, 3))
    edge_eps = scalar(EDGE_EPS)

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

    @wp.func
    def edge_distance(p: vec2, u: vec2, v: vec2, multiplier: scalar):
        # Squared distance to the line through u and v where the foot of the perpendicular lies between them,
        # else farther than anything in the image.
        A = v[1] - u[1]
        B = u[0] - v[0]
        C = v[0] * u[1] - u[0] * v[1]
        up = A * p[0] + B * p[1] + C
        down = A * A + B * B
        foot = vec2(
            (B * B * p[0] - A * B * p[1] - A * C) / (down + edge_eps),
            (A * A * p[1] - A * B * p[0] - B * C) / (down + edge_eps),
        )
        if wp.dot(foot - u, foot - v) > scalar(0.0):
            return scalar(4.0) * multiplier * multiplier
        return up * up / (down + edge_eps)

    @wp.func
    def face_distance(p: vec2, a: vec2, b: vec2, c: vec2, multiplier: scalar):
        # Nearest of three edges (0-2) and three corners (3-5): (squared distance, which).
        which = wp.int32(0)
        best = edge_distance(p, a, b, multiplier)
        d = edge_distance(p, b, c, multiplier)
        if best > d:
            best = d
            which = 1
        d = edge_distance(p, c, a, multiplier)
        if best > d:
            best = d
            which = 2
        d = wp.length_sq(p - a)
        if best > d:
            best = d
            which = 3
        d = wp.length_sq(p - b)
        if best > d:
            best = d
            which = 4
        d = wp.length_sq(p - c)
        if best > d:
            best = d
            which = 5
        return best, which

    @wp.func
    def near_box(p: vec2, a: vec2, b: vec2, c: vec2, margin: scalar):
        return (
            p[0] >= wp.min(a[0], wp.min(b[0], c[0])) - margin
            and p[0] < wp.max(a[0], wp.max(b[0], c[0])) + margin
            and p[1] >= wp.min(a[1], wp.min(b[1], c[1])) - margin
            and p[1] < wp.max(a[1], wp.max(b[1], c[1])) + margin
        )

    @wp.func
    def falloff(p: vec2, a: vec2, b: vec2, c: vec2, sigmainv: scalar, multiplier: scalar):
        distance, which = face_distance(p, a, b, c, multiplier)
        return wp.exp(-(sigmainv * distance / multiplier / multiplier)), which

    @wp.kernel(module="unique")
    def soft_accumulate(
        face_vertices_image: wp.array4d(dtype=scalar),
        face_idx: wp.array3d(dtype=wp.int64),
        sigmainv: scalar,
        boxlen: scalar,
        multiplier: scalar,
        log_outside: wp.array3d(dtype=scalar),
        count: wp.array3d(dtype=wp.int32),
    ):
        n, f = wp.tid()
        height = face_idx.shape[1]
        width = face_idx.shape[2]
        a = corner(face_vertices_image, n, f, 0, multiplier)
        b = corner(face_vertices_image, n, f, 1, multiplier)
        c = corner(face_vertices_image, n, f, 2, multiplier)
        margin = boxlen * multiplier
        x_min = wp.min(a[0], wp.min(b[0], c[0])) - margin
        x_max = wp.max(a[0], wp.max(b[0], c[0])) + margin
        y_min = wp.min(a[1], wp.min(b[1], c[1])) - margin
        y_max = wp.max(a[1], wp.max(b[1], c[1])) + margin
        for row in range(first_index(-y_max, height, multiplier), last_index(-y_min, height, multiplier)):
            y = pixel_y(row, height, multiplier)
            if y < y_min or y >= y_max:
                continue
            for column in range(first_index(x_min, width, multiplier), last_index(x_max, width, multiplier)):
                x = pixel_x(column, width, multiplier)
                if x < x_min or x >= x_max or face_idx[n, row, column] >= wp.int64(0):
                    continue
                probability, which = falloff(vec2(x, y), a, b, c, sigmainv, multiplier)
                wp.atomic_add(count, n, row, column, 1)
                wp.atomic_add(log_outside, n, row, column, wp.log(scalar(1.0) - probability))

    @wp.kernel(module="unique")
    def soft_resolve(
        face_vertices_image: wp.array4d(dtype=scalar),
        face_idx: wp.array3d(dtype=wp.int64),
        log_outside: wp.array3d(dtype=scalar),
        sigmainv: scalar,
        boxlen: scalar,
        knum: int,
        multiplier: scalar,
        soft_mask: wp.array3d(dtype=scalar),
        last_face: wp.array3d(dtype=wp.int32),
    ):
        # `last_face` comes in as the count of faces and goes out as the last one that counts.
        n, row, column = wp.tid()
        if face_idx[n, row, column] >= wp.int64(0):
            soft_mask[n, row, column] = scalar(1.0)
            last_face[n, row, column] = -1
            return
        faces = face_vertices_image.shape[1]
        if last_face[n, row, column] <= knum:
            soft_mask[n, row, column] = scalar(1.0) - wp.exp(log_outside[n, row, column])
            last_face[n, row, column] = faces
            return
        # More faces than the definition counts: only the first `knum` in index order do.
        p = vec2(
            pixel_x(column, face_idx.shape[2], multiplier),
            pixel_y(row, face_idx.shape[1], multiplier),
        )
        margin = boxlen * multiplier
        outside = scalar(1.0)
        found = wp.int32(0)
        for f in range(faces):
            a = corner(face_vertices_image, n, f, 0, multiplier)
            b = corner(face_vertices_image, n, f, 1, multiplier)
            c = corner(face_vertices_image, n, f, 2, multiplier)
            if near_box(p, a, b, c, margin):
                probability, which = falloff(p, a, b, c, sigmainv, multiplier)
                outside *= scalar(1.0) - probability
                found += 1
                if found >= knum:
                    last_face[n, row, column] = f
                    break
        soft_mask[n, row, column] = scalar(1.0) - outside

    @wp.kernel(module="unique")
    def soft_backward(
        grad_soft_mask: wp.array3d(dtype=scalar),
        soft_mask: wp.array3d(dtype=scalar),
        last_face: wp.array3d(dtype=wp.int32),
        face_vertices_image: wp.array4d(dtype=scalar),
        sigmainv: scalar,
        boxlen: scalar,
        multiplier: scalar,
        grad_image: wp.array4d(dtype=scalar),
    ):
        n, f = wp.tid()
        height = soft_mask.shape[1]
        width = soft_mask.shape[2]
        a = corner(face_vertices_image, n, f, 0, multiplier)
        b = corner(face_vertices_image, n, f, 1, multiplier)
        c = corner(face_vertices_image, n, f, 2, multiplier)
        margin = boxlen * multiplier
        x_min = wp.min(a[0], wp.min(b[0], c[0])) - margin
        x_max = wp.max(a[0], wp.max(b[0], c[0])) + margin
        y_min = wp.min(a[1], wp.min(b[1], c[1])) - margin
        y_max = wp.max(a[1], wp.max(b[1], c[1])) + margin
        for row in range(first_index(-y_max, height, multiplier), last_index(-y_min, height, multiplier)):
            y = pixel_y(row, height, multiplier)
            if y < y_min or y >= y_max:
                continue
            for column in range(first_index(x_min, width, multiplier), last_index(x_max, width, multiplier)):
                x = pixel_x(column, width, multiplier)
                # A covered pixel has last_face -1: its mask is the constant 1.
                if x < x_min or x >= x_max or f > last_face[n, row, column]:
                    continue
                p = vec2(x, y)
                probability, which = falloff(p, a, b, c, sigmainv, multiplier)
                rest = (scalar(1.0) - soft_mask[n, row, column]) / (scalar(1.0) - probability + edge_eps)
                # By the squared distance in NDC. The nearest point moves with its corner, or with an edge's two.
                slope = -sigmainv * grad_soft_mask[n, row, column] * rest * probability
                if which >= 3:
                    k = which - 3
                    away = (corner(face_vertices_image, n, f, k, multiplier) - p) / multiplier
                    wp.atomic_add(grad_image, n, f, k, 0, scalar(2.0) * slope * away[0])
                    wp.atomic_add(grad_image, n, f, k, 1, scalar(2.0) * slope * away[1])
                else:
                    start = which
                    end = (which + 1) % 3
                    u = corner(face_vertices_image, n, f, start, multiplier)
                    edge = corner(face_vertices_image, n, f, end, multiplier) - u
                    t = wp.dot(p - u, edge) / (wp.length_sq(edge) + edge_eps)
                    away = (u + edge * t - p) / multiplier
                    wp.atomic_add(grad_image, n, f, start, 0, scalar(2.0) * slope * (scalar(1.0) - t) * away[0])
                    wp.atomic_add(grad_image, n, f, start, 1, scalar(2.0) * slope * (scalar(1.0) - t) * away[1])
                    wp.atomic_add(grad_image, n, f, end, 0, scalar(2.0) * slope * t * away[0])
                    wp.atomic_add(grad_image, n, f, end, 1, scalar(2.0) * slope * t * away[1])

    built = [visibility, interpolate, interpolate_backward, soft_accumulate, soft_resolve, soft_backward]
    # Here and not on first launch, since launches come from several threads.
    for kernel in built:
        kernel.module.load(wp.device_from_torch(device))
    return SimpleNamespace(**{kernel.func.__name__: kernel for kernel in built})
