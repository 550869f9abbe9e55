"""Warp kernels of DIB-R, one source for CPU and CUDA, in float32 and float64.

The cost is that of the faces plus the pixels they touch: visibility and soft mask walk the bounding box of each face,
backward kernels recompute instead of storing.
"""

from functools import cache
from threading import Lock
from types import SimpleNamespace
from typing import Any

import warp as wp

from genren.render.kernels.color import color_kernels
from genren.render.kernels.common import common
from genren.render.kernels.mask import CHUNK, mask_kernels

__all__ = ["CHUNK", "kernels"]

wp.config.log_level = wp.LOG_ERROR
wp.config.enable_backward = False

_BUILDING = Lock()


def kernels(scalar: Any, device: str) -> SimpleNamespace:
    """The kernels for `wp.float32` or `wp.float64` on a device; the first caller builds them, others wait."""
    with _BUILDING:
        return _build(scalar, device)


@cache
def _build(scalar: Any, device: str) -> SimpleNamespace:
    """Build and load the kernels; Warp keeps the binaries on disk."""
    wp.init()
    shared = common(scalar)
    built = [*color_kernels(scalar, shared), *mask_kernels(scalar, shared)]
    # Here and not on first launch, since launches come from several threads.
    for kernel in built:
        kernel.module.load(wp.device_from_torch(device))
    return SimpleNamespace(**{kernel.func.__name__: kernel for kernel in built})
