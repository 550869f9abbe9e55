"""The two halves of DIB-R as PyTorch operators, `torch.ops.genren.*`, and their gradients.

Registered by name, so that autograd, `torch.compile` and CUDA graphs take them as they are. Arguments have been checked
by `genren.render.dibr`, all but their values: those are looked at here, where a compiled model looks too.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from genren.render.kernels import CHUNK
from genren.render.launch import Launcher


def _operator(kernel: Callable[..., Any]) -> Any:
    """Register a function as `torch.ops.genren.<its name>`, its schema read off its annotations.

    As `torch.library.custom_op` does, which would import PyTorch's compiler on the first call: a second more to start.
    """
    name = f"genren::{kernel.__name__}"
    torch.library.define(name, torch.library.infer_schema(kernel, mutates_args=()))
    torch.library.impl(name, ("cpu", "cuda"), kernel)
    return getattr(torch.ops.genren, kernel.__name__)


@_operator
def rasterize(
    height: int, width: int, z: Tensor, image: Tensor, features: Tensor, valid: Tensor, multiplier: float, eps: float
) -> tuple[Tensor, Tensor]:
    """Drawn features (B, H, W, D) and face_idx (B, H, W)."""
    _require_finite(face_vertices_z=z, face_vertices_image=image)
    z, image, features, valid = z.contiguous(), image.contiguous(), features.contiguous(), valid.contiguous()
    batch, faces = z.shape[:2]
    run = Launcher(z, batch * faces, batch * height * width)
    face_idx = torch.zeros(batch, height, width, dtype=torch.int64, device=z.device)
    drawn = z.new_empty(batch, height, width, features.shape[-1])
    # In float32 depth and face share one key. In float64 the depth fills its own, and a second pass finds the face.
    passes = (False, True) if z.dtype == torch.float64 else (False,)
    nearest = torch.zeros_like(face_idx) if len(passes) > 1 else face_idx

    def share(n: slice, top: int, bottom: int) -> None:
        count, key = n.stop - n.start, face_idx[n]
        scene, where = (z[n], image[n], valid[n]), (multiplier, top, bottom, run.lanes)
        for settle in passes:
            run("visibility", (count, faces, run.lanes), *scene, *where, eps, settle, nearest[n], key)
        outputs = key, drawn[n]
        run("interpolate", (count, bottom - top, width), key, image[n], features[n], multiplier, top, eps, *outputs)

    run.shares(share, batch, height)
    return drawn, face_idx


@_operator
def rasterize_backward(
    grad: Tensor, face_idx: Tensor, image: Tensor, features: Tensor, multiplier: float, eps: float
) -> tuple[Tensor, Tensor]:
    """Gradients by face_vertices_image and face_features."""
    grad, image, features = grad.contiguous(), image.contiguous(), features.contiguous()
    batch, faces = image.shape[:2]
    run = Launcher(image, batch * faces, face_idx.numel())
    grad_image, grad_features = torch.zeros_like(image), torch.zeros_like(features)
    lanes = _backward_lanes(run)

    def share(n: slice, first: int, last: int) -> None:
        inputs, outputs = (grad[n], face_idx[n], image[n], features[n]), (grad_image[n], grad_features[n])
        dim = (n.stop - n.start, last - first, lanes)
        run("interpolate_backward", dim, *inputs, multiplier, first, lanes, eps, *outputs)

    run.shares(share, batch, faces)
    return grad_image, grad_features


@_operator
def soft_mask(
    image: Tensor, face_idx: Tensor, sigmainv: float, boxlen: float, knum: int, multiplier: float
) -> tuple[Tensor, Tensor]:
    """Mask (B, H, W), and which faces each pixel counts (B, H, W) int32, for the gradient."""
    _require_finite(face_vertices_image=image)
    image, face_idx = image.contiguous(), face_idx.contiguous()
    (batch, height, width), faces = face_idx.shape, image.shape[1]
    run = Launcher(image, batch * faces, face_idx.numel())
    mask = image.new_empty(face_idx.shape)
    reach = torch.empty_like(face_idx, dtype=torch.int32)
    log_outside = torch.zeros_like(face_idx)
    chunks = image.new_empty(batch, -(-faces // CHUNK), 4)
    falloff = _falloff(sigmainv, boxlen, multiplier)

    def boxes(n: slice, first: int, last: int) -> None:
        run("chunk_boxes", (n.stop - n.start, last - first), image[n], multiplier, first, chunks[n])

    def share(n: slice, top: int, bottom: int) -> None:
        count, rows, state = n.stop - n.start, bottom - top, (log_outside[n], reach[n])
        run("soft_steps", (count, rows), face_idx[n], top, reach[n])
        where = (image[n], multiplier, top, bottom, run.lanes)
        run("soft_accumulate", (count, faces, run.lanes), *where, *falloff, *state)
        run("soft_resolve", (count, rows, width), image[n], multiplier, top, *falloff, knum, chunks[n], *state, mask[n])

    run.shares(boxes, batch, chunks.shape[1])
    run.shares(share, batch, height)
    return mask, reach


@_operator
def soft_mask_backward(
    grad: Tensor, mask: Tensor, reach: Tensor, image: Tensor, sigmainv: float, boxlen: float, multiplier: float
) -> Tensor:
    """Gradient by face_vertices_image."""
    grad, image = grad.contiguous(), image.contiguous()
    batch, faces = image.shape[:2]
    run = Launcher(image, batch * faces, mask.numel())
    grad_image = torch.zeros_like(image)
    lanes = _backward_lanes(run)
    falloff = _falloff(sigmainv, boxlen, multiplier)

    def share(n: slice, first: int, last: int) -> None:
        inputs, where = (grad[n], mask[n], reach[n], image[n]), (multiplier, first, lanes)
        dim = (n.stop - n.start, last - first, lanes)
        run("soft_backward", dim, *inputs, *where, *falloff, grad_image[n])

    run.shares(share, batch, faces)
    return grad_image


def _falloff(sigmainv: float, boxlen: float, multiplier: float) -> tuple[float, float]:
    """Sharpness and reach in multiplied coordinates."""
    return sigmainv / multiplier**2, boxlen * multiplier


def _backward_lanes(run: Launcher) -> int:
    # With one thread a face, every gradient has one writer: the same sum, in the same order, run after run.
    return 1 if torch.are_deterministic_algorithms_enabled() else run.lanes


def _require_finite(**named: Tensor) -> None:
    """Raise ValueError on NaN or infinity; on CUDA, where the look would wait for the device, in anomaly mode only."""
    for name, tensor in named.items():
        if tensor.is_cuda and not torch.is_anomaly_enabled():
            continue
        # A finite sum has finite terms; one that is not may have overflowed.
        if not tensor.sum().isfinite():
            bad = (~tensor.isfinite()).nonzero()
            if len(bad):
                mesh, face = bad[0, :2].tolist()
                raise ValueError(f"{name} must be finite, got nan or infinity in mesh {mesh}, face {face}")


@torch.library.register_fake("genren::rasterize")
def _(
    height: int, width: int, z: Tensor, image: Tensor, features: Tensor, valid: Tensor, multiplier: float, eps: float
) -> tuple[Tensor, Tensor]:
    shape = (z.shape[0], height, width)
    return z.new_empty(*shape, features.shape[-1]), z.new_empty(shape, dtype=torch.int64)


@torch.library.register_fake("genren::rasterize_backward")
def _(
    grad: Tensor, face_idx: Tensor, image: Tensor, features: Tensor, multiplier: float, eps: float
) -> tuple[Tensor, Tensor]:
    return image.new_empty(image.shape), features.new_empty(features.shape)


@torch.library.register_fake("genren::soft_mask")
def _(
    image: Tensor, face_idx: Tensor, sigmainv: float, boxlen: float, knum: int, multiplier: float
) -> tuple[Tensor, Tensor]:
    return image.new_empty(face_idx.shape), image.new_empty(face_idx.shape, dtype=torch.int32)


@torch.library.register_fake("genren::soft_mask_backward")
def _(
    grad: Tensor, mask: Tensor, reach: Tensor, image: Tensor, sigmainv: float, boxlen: float, multiplier: float
) -> Tensor:
    return image.new_empty(image.shape)


def _rasterize_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    _, _, _, image, features, _, *ctx.constants = inputs
    ctx.save_for_backward(output[1], image, features)


def _rasterize_gradient(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    grad_image, grad_features = rasterize_backward(grad, *ctx.saved_tensors, *ctx.constants)
    return None, None, None, grad_image, grad_features, None, None, None


def _soft_mask_context(ctx: Any, inputs: tuple[Any, ...], output: tuple[Tensor, Tensor]) -> None:
    image, _, sigmainv, boxlen, _, multiplier = inputs
    ctx.save_for_backward(*output, image)
    ctx.constants = sigmainv, boxlen, multiplier


def _soft_mask_gradient(ctx: Any, grad: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
    return soft_mask_backward(grad, *ctx.saved_tensors, *ctx.constants), None, None, None, None, None


torch.library.register_autograd("genren::rasterize", _rasterize_gradient, setup_context=_rasterize_context)
torch.library.register_autograd("genren::soft_mask", _soft_mask_gradient, setup_context=_soft_mask_context)


def _twice(ctx: Any, *grads: Tensor) -> None:
    raise RuntimeError("the renderer is differentiable once: the gradient of its gradient is not implemented")


for _name in ("rasterize_backward", "soft_mask_backward"):
    torch.library.register_autograd(f"genren::{_name}", _twice)
