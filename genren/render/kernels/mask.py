"""The soft mask without a list of faces per pixel.

Face-parallel over bounding boxes: a sum of logarithms and a count per pixel are enough. The rare pixels with more than
`knum` faces are walked once more in index order, past chunks of faces that are far away. The backward kernel recomputes
distances.

`reach` says what a pixel counts. Uncovered: first the number of faces near it, then the last face that counts. Covered:
minus the number of pixels to the next uncovered one in its row, which lets a face step over what it covers.
"""

from types import SimpleNamespace
from typing import Any

import warp as wp

# Kaolin's guard against division by zero in the distance to a degenerate edge.
EDGE_EPS = 1e-7

# The sum of logarithms is of whole numbers of this size: the order in which faces arrive changes nothing.
LOG_STEP = 2.0**-44
# exp of it is below every rounding error: such a pixel is full, and later faces need not be added.
LOG_FULL = -40.0

# Faces per chunk.
CHUNK = 32


def mask_kernels(scalar: Any, c: SimpleNamespace) -> list[Any]:
    """Kernels of the soft mask, from the functions of `common`, in the order in which they run."""
    edge_eps = scalar(EDGE_EPS)
    log_full = wp.int64(int(LOG_FULL / LOG_STEP))
    vec2, vec3, pixel_x, pixel_y, corner, box = c.vec2, c.vec3, c.pixel_x, c.pixel_y, c.corner, c.box
    Triangle, triangle = c.Triangle, c.triangle

    @wp.func
    def nearest_on_edge(p: vec2, u: vec2, v: vec2, multiplier: scalar):
        # Squared distance to the edge and the place on it, 0 at u and 1 at v. Where the foot of the perpendicular is
        # not between the ends, as on an edge without length, a corner is nearer: farther than anything in the image.
        edge = v - u
        away = p - u
        along = wp.dot(away, edge)
        square = wp.length_sq(edge)
        if along <= scalar(0.0) or along >= square:
            return scalar(4.0) * multiplier * multiplier, scalar(0.0)
        across = edge[0] * away[1] - edge[1] * away[0]
        inverse = scalar(1.0) / (square + edge_eps)
        return across * across * inverse, along * inverse

    @wp.func
    def nearest_on_face(p: vec2, t: Triangle, multiplier: scalar):
        # Squared distance to the outline, and the nearest point's weights of the corners. Edges win ties.
        best, on_ab = nearest_on_edge(p, t.a, t.b, multiplier)
        weights = vec3(scalar(1.0) - on_ab, on_ab, scalar(0.0))
        d, on_bc = nearest_on_edge(p, t.b, t.c, multiplier)
        if best > d:
            best = d
            weights = vec3(scalar(0.0), scalar(1.0) - on_bc, on_bc)
        d, on_ca = nearest_on_edge(p, t.c, t.a, multiplier)
        if best > d:
            best = d
            weights = vec3(on_ca, scalar(0.0), scalar(1.0) - on_ca)
        d = wp.length_sq(p - t.a)
        if best > d:
            best = d
            weights = vec3(scalar(1.0), scalar(0.0), scalar(0.0))
        d = wp.length_sq(p - t.b)
        if best > d:
            best = d
            weights = vec3(scalar(0.0), scalar(1.0), scalar(0.0))
        d = wp.length_sq(p - t.c)
        if best > d:
            best = d
            weights = vec3(scalar(0.0), scalar(0.0), scalar(1.0))
        return best, weights

    @wp.kernel(module="unique")
    def soft_steps(face_idx: wp.array3d(dtype=wp.int64), top: int, reach: wp.array3d(dtype=wp.int32)):
        n, band_row = wp.tid()
        row = top + band_row
        width = face_idx.shape[2]
        steps = wp.int32(0)
        for i in range(width):
            column = width - 1 - i
            if face_idx[n, row, column] >= wp.int64(0):
                steps += 1
            else:
                steps = 0
            reach[n, row, column] = -steps

    @wp.kernel(module="unique")
    def soft_accumulate(
        face_vertices_image: wp.array4d(dtype=scalar),
        multiplier: scalar,
        top: int,
        bottom: int,
        lanes: int,
        sharpness: scalar,
        margin: scalar,
        log_outside: wp.array3d(dtype=wp.int64),
        reach: wp.array3d(dtype=wp.int32),
    ):
        n, f, lane = wp.tid()
        height = reach.shape[1]
        width = reach.shape[2]
        t = triangle(face_vertices_image, n, f, multiplier)
        pixels = box(t, margin, height, width, multiplier)
        for row in range(wp.max(pixels[2], top) + lane, wp.min(pixels[3], bottom), lanes):
            y = pixel_y(row, height, multiplier)
            column = pixels[0]
            while column < pixels[1]:
                if reach[n, row, column] < 0:
                    column -= reach[n, row, column]
                else:
                    p = vec2(pixel_x(column, width, multiplier), y)
                    distance, weights = nearest_on_face(p, t, multiplier)
                    probability = wp.exp(-sharpness * distance)
                    wp.atomic_add(reach, n, row, column, 1)
                    if log_outside[n, row, column] > log_full:
                        outside = wp.max(wp.log(scalar(1.0) - probability), scalar(LOG_FULL))
                        wp.atomic_add(log_outside, n, row, column, wp.int64(wp.float64(outside) / wp.float64(LOG_STEP)))
                    column += 1

    @wp.kernel(module="unique")
    def chunk_boxes(
        face_vertices_image: wp.array4d(dtype=scalar),
        multiplier: scalar,
        first: int,
        chunks: wp.array3d(dtype=scalar),
    ):
        # Lowest and highest corner of every CHUNK consecutive faces.
        n, share_chunk = wp.tid()
        chunk = first + share_chunk
        low = vec2(scalar(wp.inf), scalar(wp.inf))
        high = vec2(scalar(-wp.inf), scalar(-wp.inf))
        for f in range(chunk * CHUNK, wp.min((chunk + 1) * CHUNK, face_vertices_image.shape[1])):
            for k in range(3):
                p = corner(face_vertices_image, n, f, k, multiplier)
                low = wp.min(low, p)
                high = wp.max(high, p)
        chunks[n, chunk, 0] = low[0]
        chunks[n, chunk, 1] = low[1]
        chunks[n, chunk, 2] = high[0]
        chunks[n, chunk, 3] = high[1]

    @wp.func
    def near_box(p: vec2, low: vec2, high: vec2, margin: scalar):
        return (
            p[0] >= low[0] - margin and p[0] < high[0] + margin and p[1] >= low[1] - margin and p[1] < high[1] + margin
        )

    @wp.kernel(module="unique")
    def soft_resolve(
        face_vertices_image: wp.array4d(dtype=scalar),
        multiplier: scalar,
        top: int,
        sharpness: scalar,
        margin: scalar,
        knum: int,
        chunks: wp.array3d(dtype=scalar),
        log_outside: wp.array3d(dtype=wp.int64),
        reach: wp.array3d(dtype=wp.int32),
        soft_mask: wp.array3d(dtype=scalar),
    ):
        n, band_row, column = wp.tid()
        row = top + band_row
        if reach[n, row, column] < 0:
            soft_mask[n, row, column] = scalar(1.0)
            return
        faces = face_vertices_image.shape[1]
        if reach[n, row, column] <= knum:
            total = wp.float64(log_outside[n, row, column]) * wp.float64(LOG_STEP)
            soft_mask[n, row, column] = scalar(1.0) - wp.exp(scalar(total))
            reach[n, row, column] = faces
            return
        # More faces than the definition counts: only the first `knum` in index order do.
        p = vec2(pixel_x(column, reach.shape[2], multiplier), pixel_y(row, reach.shape[1], multiplier))
        outside = scalar(1.0)
        found = wp.int32(0)
        last = wp.int32(0)
        for chunk in range(chunks.shape[1]):
            low = vec2(chunks[n, chunk, 0], chunks[n, chunk, 1])
            high = vec2(chunks[n, chunk, 2], chunks[n, chunk, 3])
            if found < knum and near_box(p, low, high, margin):
                for f in range(chunk * CHUNK, wp.min((chunk + 1) * CHUNK, faces)):
                    t = triangle(face_vertices_image, n, f, multiplier)
                    if found < knum and near_box(
                        p, wp.min(t.a, wp.min(t.b, t.c)), wp.max(t.a, wp.max(t.b, t.c)), margin
                    ):
                        distance, weights = nearest_on_face(p, t, multiplier)
                        outside *= scalar(1.0) - wp.exp(-sharpness * distance)
                        found += 1
                        last = f
        soft_mask[n, row, column] = scalar(1.0) - outside
        reach[n, row, column] = last

    @wp.kernel(module="unique")
    def soft_backward(
        grad_soft_mask: wp.array3d(dtype=scalar),
        soft_mask: wp.array3d(dtype=scalar),
        reach: wp.array3d(dtype=wp.int32),
        face_vertices_image: wp.array4d(dtype=scalar),
        multiplier: scalar,
        first: int,
        lanes: int,
        sharpness: scalar,
        margin: scalar,
        grad_image: wp.array4d(dtype=scalar),
    ):
        n, share_face, lane = wp.tid()
        f = first + share_face
        height = reach.shape[1]
        width = reach.shape[2]
        t = triangle(face_vertices_image, n, f, multiplier)
        pixels = box(t, margin, height, width, multiplier)
        grad_a = vec2(scalar(0.0), scalar(0.0))
        grad_b = vec2(scalar(0.0), scalar(0.0))
        grad_c = vec2(scalar(0.0), scalar(0.0))
        for row in range(pixels[2] + lane, pixels[3], lanes):
            y = pixel_y(row, height, multiplier)
            column = pixels[0]
            while column < pixels[1]:
                if reach[n, row, column] < 0:
                    column -= reach[n, row, column]
                else:
                    if f <= reach[n, row, column]:
                        p = vec2(pixel_x(column, width, multiplier), y)
                        distance, weights = nearest_on_face(p, t, multiplier)
                        probability = wp.exp(-sharpness * distance)
                        rest = (scalar(1.0) - soft_mask[n, row, column]) / (scalar(1.0) - probability + edge_eps)
                        # By the squared distance; each corner carries its weight of the nearest point.
                        slope = -sharpness * grad_soft_mask[n, row, column] * rest * probability
                        away = weights[0] * t.a + weights[1] * t.b + weights[2] * t.c - p
                        push = scalar(2.0) * slope * multiplier * away
                        grad_a += weights[0] * push
                        grad_b += weights[1] * push
                        grad_c += weights[2] * push
                    column += 1
        for i in range(2):
            wp.atomic_add(grad_image, n, f, 0, i, grad_a[i])
            wp.atomic_add(grad_image, n, f, 1, i, grad_b[i])
            wp.atomic_add(grad_image, n, f, 2, i, grad_c[i])

    return [soft_steps, soft_accumulate, chunk_boxes, soft_resolve, soft_backward]
