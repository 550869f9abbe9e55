"""Processes that share a batch, one device each: what each draws of it, and what they tell each other.

Each of n ranks holds an nth of the joint batch's rows. The random generators of all ranks are in the same state: a rank
draws for the joint batch and keeps its own rows, so that n processes see the numbers that one would. Losses are means
over a rank's rows, so the mean of the ranks' gradients is the joint batch's; terms that couple the rows of a batch see
all of them through `gather`. Without a process group everything here is the identity.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.distributed as dist

# Optimisers import this, and its default arguments keep a group that exists by then: the group's threads would outlive
# it, and can abort the process at its end, after all is written. So it is imported before there is a group.
import torch.distributed.nn.functional
from torch import Tensor

from genren.errors import InputError


@contextmanager
def group(device: str, batch_size: int) -> Iterator[torch.device]:
    """Join the processes that torchrun started, if it did and nobody has; yield this process's device.

    'auto' is CUDA where there is one.

    Raises InputError if there is no such device, or if the batch cannot be shared by as many processes.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("train.engine.device is cuda, but PyTorch finds no CUDA device; set it to auto or cpu")
    cuda = device != "cpu" and torch.cuda.is_available()
    local, world = int(os.environ.get("LOCAL_RANK", "0")), int(os.environ.get("WORLD_SIZE", "1"))
    if cuda and local >= torch.cuda.device_count():
        raise InputError(
            f"train.engine.devices asks for more than the {torch.cuda.device_count()} CUDA devices of this machine"
        )
    if batch_size % world:
        raise InputError(f"train.batch_size is {batch_size}, which {world} processes cannot share; use a multiple")
    chosen = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(chosen)
    if world == 1 or dist.is_initialized():
        yield chosen
        return
    # Gloo besides NCCL, for what the processes agree on without waiting for their devices.
    dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
    try:
        yield chosen
    finally:
        dist.destroy_process_group()


def count() -> int:
    """How many processes share the batch."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is; 0 is the one that writes."""
    return dist.get_rank() if dist.is_initialized() else 0


def own(joint: Tensor) -> Tensor:
    """Rows (B, ...) of the joint batch's (n B, ...) that are this rank's."""
    return joint if count() == 1 else joint.unflatten(0, (count(), -1))[rank()]


def draw(source: Callable[..., Tensor], rows: int, *shape: int, **options: Any) -> Tensor:
    """Draw the joint batch's numbers from `source`, such as `torch.randn`; return this rank's (rows, *shape)."""
    return own(source(count() * rows, *shape, **options))


def gather(x: Tensor) -> Tensor:
    """The joint batch's rows (n B, ...) from every rank's (B, ...), differentiable as often as wanted."""
    return x if count() == 1 else _Gather.apply(x)


@torch.no_grad()
def average(tensors: Iterable[Tensor]) -> None:
    """Replace each tensor by its mean over the ranks, in one message."""
    listed = list(tensors)
    if count() == 1 or not listed:
        return
    flat = torch.cat([tensor.flatten() for tensor in listed])
    dist.all_reduce(flat)
    flat /= count()
    parts = flat.split([tensor.numel() for tensor in listed])
    torch._foreach_copy_(listed, [part.view_as(tensor) for part, tensor in zip(parts, listed, strict=True)])


def agree(wish: bool) -> bool:
    """Whether any rank wishes it; the ranks' devices are not waited for."""
    if count() == 1:
        return wish
    wishes = torch.tensor([wish], dtype=torch.int32)
    dist.all_reduce(wishes, dist.ReduceOp.MAX)
    return bool(wishes)


class _Sum(torch.autograd.Function):
    """Sum over the ranks. Each rank's result depends on every rank's input, so the gradient is a sum as well."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return _Sum.apply(grads[0])


class _Gather(torch.autograd.Function):
    """Rows of all ranks, by rank."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        parts = [torch.empty_like(x, memory_format=torch.contiguous_format) for _ in range(count())]
        dist.all_gather(parts, x.contiguous())
        return torch.cat(parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        return own(_Sum.apply(grads[0]))
