"""The soft mask without a list of faces per pixel.

Face-parallel: a sum of logarithms and a count per pixel are enough, and the rare pixels with more than `knum` faces are
walked once more in index order. The backward kernel recomputes distances.
"""

from types import SimpleNamespace
from typing import Any

import warp as wp

# Kaolin's guard against division by zero in the distance to a degenerate edge.
EDGE_EPS = 1e-7


def mask_kernels(scalar: Any, c: SimpleNamespace) -> list[Any]:
    """Kernels `soft_accumulate`, `soft_resolve` and `soft_backward`, from the functions of `common`."""
    edge_eps = scalar(EDGE_EPS)
    vec2, pixel_x, pixel_y = c.vec2, c.pixel_x, c.pixel_y
    first_index, last_index, corner = c.first_index, c.last_index, c.corner

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

    return [soft_accumulate, soft_resolve, soft_backward]
