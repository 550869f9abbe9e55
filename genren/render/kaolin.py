"""Kaolin's own kernels behind the same functions. The only file that imports Kaolin."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from torch import Tensor

# Kaolin's names for its back ends, and ours for its CUDA kernels.
BACKENDS = ("kaolin", "cuda", "nvdiffrast", "nvdiffrast_fwd")


def rasterize(
    height: int,
    width: int,
    face_vertices_z: Tensor,
    face_vertices_image: Tensor,
    face_features: Tensor | Sequence[Tensor],
    valid_faces: Tensor | None,
    multiplier: float | None,
    eps: float | None,
    backend: str,
) -> tuple[Any, Tensor]:
    """`kaolin.render.mesh.rasterize`.

    Raises RuntimeError without Kaolin, ValueError for tensors that are not on CUDA.
    """
    _require_cuda(face_vertices_z, backend)
    arguments = face_vertices_z, face_vertices_image, face_features, valid_faces, multiplier, eps
    return _mesh(backend).rasterize(height, width, *arguments, backend=_native(backend))


def dibr_rasterization(
    height: int,
    width: int,
    face_vertices_z: Tensor,
    face_vertices_image: Tensor,
    face_features: Tensor | Sequence[Tensor],
    face_normals_z: Tensor,
    sigmainv: float,
    boxlen: float,
    knum: int,
    multiplier: float | None,
    eps: float | None,
    rast_backend: str,
) -> tuple[Any, Tensor, Tensor]:
    """`kaolin.render.mesh.dibr_rasterization`, mask included.

    Raises RuntimeError without Kaolin, ValueError for tensors that are not on CUDA.
    """
    _require_cuda(face_vertices_z, rast_backend)
    arguments = face_vertices_z, face_vertices_image, face_features, face_normals_z
    constants = sigmainv, boxlen, knum, multiplier, eps
    return _mesh(rast_backend).dibr_rasterization(
        height, width, *arguments, *constants, rast_backend=_native(rast_backend)
    )


def _native(backend: str) -> str:
    return "cuda" if backend == "kaolin" else backend


def _require_cuda(tensor: Tensor, backend: str) -> None:
    if not tensor.is_cuda:
        raise ValueError(f"back end {backend!r} needs tensors on CUDA, got {tensor.device}; 'auto' works everywhere")


def _mesh(backend: str) -> ModuleType:
    try:
        # Kaolin's compiled part is loaded here; the placeholder of that name on PyPI has no `render`.
        from kaolin.render import mesh
    except ImportError as error:
        raise RuntimeError(
            f"back end {backend!r} needs NVIDIA's kaolin, which cannot be imported ({error}); `genren doctor` says how"
            " to install it, and 'auto' does without"
        ) from None
    return mesh
