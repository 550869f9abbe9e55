"""Nearest neighbours by trying all pairs, a thread a query: the kernel of `nearest` on CUDA. Runs on the CPU too."""

from typing import Any

import torch
import warp as wp
from torch import Tensor

wp.config.log_level = wp.LOG_ERROR
wp.config.enable_backward = False
wp.init()


@wp.kernel
def _search(
    x: wp.array(dtype=Any, ndim=2),
    y: wp.array(dtype=Any, ndim=2),
    found: wp.array(dtype=wp.int64, ndim=2),
):
    item, query = wp.tid()
    point = x[item, query]
    best = wp.int32(0)
    difference = y[item, 0] - point
    least = wp.dot(difference, difference)
    # Neighbouring threads read the same y: it comes from the cache, and memory is read about once.
    for candidate in range(1, y.shape[1]):
        difference = y[item, candidate] - point
        squared = wp.dot(difference, difference)
        if squared < least:
            least = squared
            best = candidate
    found[item, query] = wp.int64(best)


def all_pairs(x: Tensor, y: Tensor) -> Tensor:
    """Index (B, N) int64 into `y` (B, M, 3) of the nearest point of each of `x` (B, N, 3), on their device.

    Squared distances come from differences in the points' precision, at least float32; the first of equals wins.
    """
    kind = torch.float64 if torch.float64 in (x.dtype, y.dtype) else torch.float32
    vector = wp.vec3d if kind == torch.float64 else wp.vec3f
    found = torch.zeros(x.shape[:2], dtype=torch.int64, device=x.device)
    stream = wp.stream_from_torch(torch.cuda.current_stream(x.device)) if x.is_cuda else None
    arrays = [wp.from_torch(points.detach().to(kind).contiguous(), dtype=vector) for points in (x, y)]
    wp.launch(
        _search,
        dim=tuple(found.shape),
        inputs=[*arrays, wp.from_torch(found)],
        device=wp.device_from_torch(x.device),
        stream=stream,
    )
    return found
