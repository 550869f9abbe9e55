"""Launching the kernels on PyTorch tensors: scalar type, stream, and the CPU's cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise
from typing import Any

import torch
import warp as wp
from torch import Tensor

from genren.render.kernels import kernels

# A launch on the CPU holds one thread, but not the interpreter's lock.
_THREADS = ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="dibr")

# With fewer threads than this a GPU idles: several then share the rows of one face.
_BUSY = 1 << 17
_MOST_LANES = 32

# Faces and pixels below which waking another thread costs more than it saves.
_WORTH_A_THREAD = 1 << 15

Share = Callable[[slice, int, int], None]


class Launcher:
    """Launches kernels in the scalar type and on the device of a tensor, in the order of PyTorch's current stream.

    `faces` and `pixels` are those of the whole batch: few of them are not worth a second thread.
    """

    def __init__(self, like: Tensor, faces: int, pixels: int) -> None:
        self.kernels = kernels(wp.float64 if like.dtype == torch.float64 else wp.float32, str(like.device))
        self.device = wp.device_from_torch(like.device)
        self.stream = _stream(torch.cuda.current_stream(like.device)) if like.is_cuda else None
        cores = min(torch.get_num_threads(), (faces + pixels) // _WORTH_A_THREAD)
        self.cores = max(1, cores) if self.stream is None else 1
        # Threads per face, each every lanes-th row.
        lanes = 1 if self.stream is None else min(_BUSY // max(faces, 1), _MOST_LANES)
        self.lanes = 1 << (max(lanes, 1).bit_length() - 1)

    def __call__(self, name: str, dim: tuple[int, ...], *arguments: Tensor | float) -> None:
        """Start the kernel; on CUDA this returns before it is done."""
        inputs = [wp.from_torch(a.detach(), return_ctype=True) if isinstance(a, Tensor) else a for a in arguments]
        wp.launch(getattr(self.kernels, name), dim=dim, inputs=inputs, device=self.device, stream=self.stream)

    def shares(self, work: Share, batch: int, extent: int) -> None:
        """Call `work` with shares of the batch and of `extent` rows or faces: one a core on the CPU, one on CUDA."""
        # Cut finer than there are cores: PyTorch's own threads may still be spinning on one of them.
        wanted = 2 * self.cores if self.cores > 1 else 1
        pictures = min(batch, wanted)
        bands = min(extent, wanted // pictures) if pictures else 0
        jobs = iter([(slice(*n), *band) for n in _cuts(batch, pictures) for band in _cuts(extent, bands)])

        def drain() -> None:
            for job in jobs:
                work(*job)

        helpers = [_THREADS.submit(drain) for _ in range(self.cores - 1)]
        drain()
        for helper in helpers:
            # One that has not begun finds nothing left to do.
            if not helper.cancel():
                helper.result()


def _cuts(extent: int, parts: int) -> list[tuple[int, int]]:
    """`extent` in `parts` ranges of nearly the same length; none if either is 0."""
    return list(pairwise(extent * i // parts for i in range(parts + 1))) if parts else []


@cache
def _stream(stream: torch.cuda.Stream) -> Any:
    """Warp's view of a stream. PyTorch has a fixed pool of them, so the cache stays small."""
    return wp.stream_from_torch(stream)
