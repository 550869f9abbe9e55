"""DIB-R, the interpolation-based differentiable rasteriser (Chen et al., NeurIPS 2019, arXiv 1908.01210).

Names, argument order and semantics are those of `kaolin.render.mesh`: features come from a hard z-buffer with affine
barycentric interpolation; the soft mask is 1 on covered pixels and 1 - prod(1 - exp(-d^2 sigmainv)) elsewhere.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import torch
import warp as wp
from torch import Tensor
from torch.autograd.function import once_differentiable

from genren.render.kernels import kernels

BACKENDS = ("auto", "warp")

_THREADS = ThreadPoolExecutor(max_workers=8, thread_name_prefix="dibr")


def rasterize(
    height: int,
    width: int,
    face_vertices_z: Tensor,
    face_vertices_image: Tensor,
    face_features: Tensor | Sequence[Tensor],
    valid_faces: Tensor | None = None,
    multiplier: float | None = None,
    eps: float | None = None,
    backend: str = "auto",
) -> tuple[Any, Tensor]:
    """Draw per-corner features of triangles into an image through a z-buffer.

    Args:
        height, width: size of the image in pixels.
        face_vertices_z: (B, F, 3) camera-space depth of the corners; the largest z is nearest (cameras look down -z).
        face_vertices_image: (B, F, 3, 2) corners in NDC, x right, y up, the image spanning [-1, 1].
        face_features: (B, F, 3, D) features at the corners, or a list of such.
        valid_faces: (B, F) bool, the faces to draw; all by default.
        multiplier: scale of the coordinates during the computation, against rounding; 1000 by default.
        eps: added to the barycentric normaliser; 1e-8 by default.
        backend: 'auto' or 'warp', which are the same here.

    Returns:
        Features (B, height, width, D), zero where no face is, or a list of such; and face_idx (B, height, width) int64,
        -1 where no face is. Gradients reach face_features and face_vertices_image, not face_vertices_z.

    Raises:
        ValueError: an argument has the wrong shape, dtype or device, or the back end is unknown.

    """
    if backend not in BACKENDS:
        raise ValueError(f"backend must be one of {', '.join(BACKENDS)}, got {backend!r}")
    parts = [face_features] if isinstance(face_features, Tensor) else list(face_features)
    stacked = torch.cat(parts, dim=-1) if len(parts) > 1 else parts[0]
    _check(height, width, face_vertices_z, face_vertices_image, stacked, valid_faces)
    if valid_faces is None:
        valid_faces = torch.ones(face_vertices_z.shape[:2], dtype=torch.bool, device=face_vertices_z.device)
    features, face_idx = _Rasterize.apply(
        height,
        width,
        face_vertices_z,
        face_vertices_image,
        stacked,
        valid_faces,
        1000.0 if multiplier is None else float(multiplier),
        1e-8 if eps is None else float(eps),
    )
    if isinstance(face_features, Tensor):
        return features, face_idx
    return list(features.split([part.shape[-1] for part in parts], dim=-1)), face_idx


def dibr_soft_mask(
    face_vertices_image: Tensor,
    selected_face_idx: Tensor,
    sigmainv: float = 7000,
    boxlen: float = 0.02,
    knum: int = 30,
    multiplier: float = 1000.0,
) -> Tensor:
    """Soft silhouette: 1 on covered pixels, falling off with the squared distance to the nearest faces outside.

    Args:
        face_vertices_image: (B, F, 3, 2) corners in NDC; every face counts, also those that `rasterize` did not draw.
        selected_face_idx: (B, H, W) int64 from `rasterize`, -1 where no face is.
        sigmainv: sharpness, per squared NDC unit.
        boxlen: reach around each face's bounding box, in NDC.
        knum: at most this many faces, the first in index order, influence one pixel.
        multiplier: scale of the coordinates during the computation, against rounding.

    Returns:
        (B, H, W) mask in [0, 1]; gradients reach face_vertices_image from uncovered pixels.

    """
    mask: Tensor = _SoftMask.apply(
        face_vertices_image, selected_face_idx, float(sigmainv), float(boxlen), int(knum), float(multiplier)
    )
    return mask


def dibr_rasterization(
    height: int,
    width: int,
    face_vertices_z: Tensor,
    face_vertices_image: Tensor,
    face_features: Tensor | Sequence[Tensor],
    face_normals_z: Tensor,
    sigmainv: float = 7000,
    boxlen: float = 0.02,
    knum: int = 30,
    multiplier: float | None = None,
    eps: float | None = None,
    rast_backend: str = "auto",
) -> tuple[Any, Tensor, Tensor]:
    """Draw features and a soft mask: `rasterize` on the faces with face_normals_z >= 0, then `dibr_soft_mask`.

    Args:
        face_normals_z: (B, F) z of the faces' normals in camera space; negative ones are not drawn.

    The other arguments are those of `rasterize` and `dibr_soft_mask`.

    Returns:
        Features (B, H, W, D) or a list of such, soft mask (B, H, W), face_idx (B, H, W).

    """
    drawn = face_normals_z >= 0.0
    features, face_idx = rasterize(
        height, width, face_vertices_z, face_vertices_image, face_features, drawn, multiplier, eps, rast_backend
    )
    scale = 1000.0 if multiplier is None else multiplier
    return features, dibr_soft_mask(face_vertices_image, face_idx, sigmainv, boxlen, knum, scale), face_idx


class _Rasterize(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        height: int,
        width: int,
        face_vertices_z: Tensor,
        face_vertices_image: Tensor,
        face_features: Tensor,
        valid_faces: Tensor,
        multiplier: float,
        eps: float,
    ) -> tuple[Tensor, Tensor]:
        z, image, faces = (t.detach().contiguous() for t in (face_vertices_z, face_vertices_image, face_features))
        valid = valid_faces.contiguous()
        batch, device, dtype = z.shape[0], z.device, z.dtype
        k = _kernels(z)
        key = torch.zeros(batch, height, width, dtype=torch.int64, device=device)
        face_idx = torch.empty(batch, height, width, dtype=torch.int64, device=device)
        features = torch.zeros(batch, height, width, faces.shape[-1], dtype=dtype, device=device)

        def draw(s: slice) -> None:
            keys = wp.from_torch(key[s], dtype=wp.uint64)
            images = wp.from_torch(image[s])
            arguments = [wp.from_torch(z[s]), images, wp.from_torch(valid[s], dtype=wp.bool), multiplier, eps, keys]
            _launch(k.visibility, images.shape[:2], arguments, device)
            arguments = [keys, images, wp.from_torch(faces[s]), multiplier, eps]
            outputs = [wp.from_torch(face_idx[s]), wp.from_torch(features[s])]
            _launch(k.interpolate, keys.shape, arguments + outputs, device)

        _over_batch(draw, batch, device)
        ctx.save_for_backward(face_idx, image, faces)
        ctx.constants = multiplier, eps
        ctx.mark_non_differentiable(face_idx)
        return features, face_idx

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_features: Tensor, _: Tensor) -> tuple[Tensor | None, ...]:
        face_idx, image, faces = ctx.saved_tensors
        multiplier, eps = ctx.constants
        grad = grad_features.contiguous()
        grad_image, grad_faces = torch.zeros_like(image), torch.zeros_like(faces)
        k = _kernels(image)

        def draw(s: slice) -> None:
            arrays = [wp.from_torch(t[s]) for t in (grad, face_idx, image, faces)]
            outputs = [wp.from_torch(grad_image[s]), wp.from_torch(grad_faces[s])]
            _launch(k.interpolate_backward, arrays[1].shape, [*arrays, multiplier, eps, *outputs], image.device)

        _over_batch(draw, image.shape[0], image.device)
        return None, None, None, grad_image, grad_faces, None, None, None


class _SoftMask(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        face_vertices_image: Tensor,
        selected_face_idx: Tensor,
        sigmainv: float,
        boxlen: float,
        knum: int,
        multiplier: float,
    ) -> Tensor:
        image, face_idx = face_vertices_image.detach().contiguous(), selected_face_idx.contiguous()
        device, dtype = image.device, image.dtype
        k = _kernels(image)
        log_outside = torch.zeros(face_idx.shape, dtype=dtype, device=device)
        soft_mask = torch.empty(face_idx.shape, dtype=dtype, device=device)
        last_face = torch.zeros(face_idx.shape, dtype=torch.int32, device=device)

        def draw(s: slice) -> None:
            images, indices, logs, masks, lasts = (
                wp.from_torch(t[s]) for t in (image, face_idx, log_outside, soft_mask, last_face)
            )
            arguments = [images, indices, sigmainv, boxlen, multiplier, logs, lasts]
            _launch(k.soft_accumulate, images.shape[:2], arguments, device)
            arguments = [images, indices, logs, sigmainv, boxlen, knum, multiplier, masks, lasts]
            _launch(k.soft_resolve, indices.shape, arguments, device)

        _over_batch(draw, image.shape[0], device)
        ctx.save_for_backward(image, soft_mask.detach(), last_face)
        ctx.constants = sigmainv, boxlen, multiplier
        return soft_mask

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_soft_mask: Tensor) -> tuple[Tensor | None, ...]:
        image, soft_mask, last_face = ctx.saved_tensors
        grad = grad_soft_mask.contiguous()
        grad_image = torch.zeros_like(image)
        k = _kernels(image)

        def draw(s: slice) -> None:
            arrays = [wp.from_torch(t[s]) for t in (grad, soft_mask, last_face, image)]
            arguments = [*arrays, *ctx.constants, wp.from_torch(grad_image[s])]
            _launch(k.soft_backward, arrays[3].shape[:2], arguments, image.device)

        _over_batch(draw, image.shape[0], image.device)
        return grad_image, None, None, None, None, None


def _kernels(like: Tensor) -> Any:
    return kernels(wp.float64 if like.dtype == torch.float64 else wp.float32, str(like.device))


def _launch(kernel: Any, dim: tuple[int, ...], arguments: list[Any], device: torch.device) -> None:
    if device.type == "cuda":
        with wp.ScopedStream(wp.stream_from_torch(torch.cuda.current_stream(device))):
            wp.launch(kernel, dim=dim, inputs=arguments, device=wp.device_from_torch(device))
    else:
        wp.launch(kernel, dim=dim, inputs=arguments, device="cpu")


def _over_batch(draw: Callable[[slice], None], batch: int, device: torch.device) -> None:
    """Run `draw` on the whole batch, or on the CPU a share per core: a launch holds a thread there, not the GIL."""
    if batch == 0:
        return
    shares = min(batch, torch.get_num_threads(), 8) if device.type == "cpu" else 1
    bounds = [batch * i // shares for i in range(shares + 1)]
    slices = [slice(start, stop) for start, stop in pairwise(bounds)]
    if shares == 1:
        draw(slices[0])
    else:
        list(_THREADS.map(draw, slices))


def _check(height: int, width: int, z: Tensor, image: Tensor, features: Tensor, valid_faces: Tensor | None) -> None:
    if height < 1 or width < 1:
        raise ValueError(f"height and width must be at least 1, got {height} and {width}")
    if z.ndim != 3 or z.shape[-1] != 3:
        raise ValueError(f"face_vertices_z must be (B, F, 3), got {tuple(z.shape)}")
    if image.shape != (*z.shape, 2):
        raise ValueError(f"face_vertices_image must be {(*z.shape, 2)}, got {tuple(image.shape)}")
    if features.ndim != 4 or features.shape[:3] != z.shape:
        raise ValueError(f"face_features must be {(*z.shape, 'D')}, got {tuple(features.shape)}")
    if z.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"face_vertices_z must be float32 or float64, got {z.dtype}")
    for name, tensor in (("face_vertices_image", image), ("face_features", features)):
        if tensor.dtype != z.dtype or tensor.device != z.device:
            raise ValueError(f"{name} must be {z.dtype} on {z.device}, got {tensor.dtype} on {tensor.device}")
    if valid_faces is not None and (valid_faces.shape != z.shape[:2] or valid_faces.dtype != torch.bool):
        raise ValueError(
            f"valid_faces must be {tuple(z.shape[:2])} bool, got {tuple(valid_faces.shape)} {valid_faces.dtype}"
        )
