"""Which networks compute in bfloat16, which are compiled, and where neither is allowed.

Autocast is put around the networks that cost something, and their outputs are float32 again: geometry, renderer,
optimal transport and losses never see anything else.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from genren.params import EngineParams

BACKEND = "inductor"  # of torch.compile

_exact = False


@contextmanager
def exact() -> Iterator[None]:
    """Networks are float32 and not compiled inside: for gradient penalties, which are differentiated twice."""
    global _exact  # noqa: PLW0603  (the networks are called from afar; a setting of the arithmetic is global, as autocast is)
    before, _exact = _exact, True
    try:
        yield
    finally:
        _exact = before


def tune(module: nn.Module, method: str, engine: EngineParams, device: torch.device) -> None:
    """Replace a module's method, such as 'forward', by one that computes as the settings say."""
    plain: Callable[..., Any] = getattr(module, method)
    bfloat16 = engine.precision == "bfloat16"
    if not (bfloat16 or engine.compile):
        return
    fast = plain
    if engine.compile:
        # Image and texture critic are one piece of code, with and without gradients: many graphs of one function.
        torch._dynamo.config.recompile_limit = 64
        fast = torch.compile(plain, backend=BACKEND)

    def tuned(*arguments: Tensor) -> Any:
        if _exact:
            return plain(*arguments)
        with torch.autocast(device.type, torch.bfloat16, enabled=bfloat16):
            return _full(fast(*arguments))

    setattr(module, method, tuned)


def _full(result: Any) -> Any:
    """A tensor, or a list of them, in float32."""
    return result.float() if isinstance(result, Tensor) else [item.float() for item in result]
