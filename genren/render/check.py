"""What the operator's arguments must be: a mistake is a ValueError that names the argument and what it should be.

Shapes, types and devices, which `torch.compile` can look at too. Values are looked at where kernels are launched.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

FLOATS = (torch.float32, torch.float64)


def backend(name: str, known: Sequence[str]) -> None:
    """One of the known back ends."""
    if name not in known:
        raise ValueError(f"backend must be one of {', '.join(known)}, got {name!r}")


def features(face_features: Tensor | Sequence[Tensor]) -> list[Tensor]:
    """The features as a list: at least one, alike in all but their last dimension."""
    parts = [face_features] if isinstance(face_features, Tensor) else list(face_features)
    if not parts:
        raise ValueError("face_features must hold at least one tensor, got an empty list")
    first = parts[0]
    for i, part in enumerate(parts):
        if part.ndim != 4 or part.shape[:3] != first.shape[:3]:
            raise ValueError(f"face_features[{i}] must be {_shape(*first.shape[:3], 'D')}, got {_shape(*part.shape)}")
        _like(f"face_features[{i}]", part, first)
    return parts


def full_precision(*tensors: Tensor) -> list[Tensor]:
    """The tensors in float32 where autocast made them shorter: geometry is no place for half precision."""
    short = (torch.float16, torch.bfloat16)
    cast = torch.is_autocast_enabled(tensors[0].device.type)
    return [t.float() if cast and t.dtype in short else t for t in tensors]


def rasterize(
    height: int, width: int, z: Tensor, image: Tensor, joined: Tensor, valid: Tensor, multiplier: float, eps: float
) -> None:
    """The arguments of `genren.render.rasterize`."""
    for name, size in (("height", height), ("width", width)):
        if size < 1:
            raise ValueError(f"{name} must be at least 1 pixel, got {size}")
    if z.ndim != 3 or z.shape[1] < 1 or z.shape[2] != 3:
        raise ValueError(f"face_vertices_z must be (B, F, 3) with F at least 1, got {_shape(*z.shape)}")
    if z.dtype not in FLOATS:
        raise ValueError(f"face_vertices_z must be float32 or float64, got {z.dtype}")
    if image.shape != (*z.shape, 2):
        raise ValueError(f"face_vertices_image must be {_shape(*z.shape, 2)}, got {_shape(*image.shape)}")
    if joined.ndim != 4 or joined.shape[:3] != z.shape or joined.shape[3] < 1:
        raise ValueError(
            f"face_features must be {_shape(*z.shape, 'D')} with D at least 1, got {_shape(*joined.shape)}"
        )
    _like("face_vertices_image", image, z)
    _like("face_features", joined, z)
    faces("valid_faces", valid, z)
    if valid.dtype != torch.bool:
        raise ValueError(f"valid_faces must be bool, got {valid.dtype}")
    _positive("multiplier", multiplier)
    if not 0 <= eps < math.inf:
        raise ValueError(f"eps must be finite and at least 0, got {eps}")


def soft_mask(image: Tensor, face_idx: Tensor, sigmainv: float, boxlen: float, knum: int, multiplier: float) -> None:
    """The arguments of `genren.render.dibr_soft_mask`."""
    if image.ndim != 4 or image.shape[1] < 1 or image.shape[2:] != (3, 2):
        raise ValueError(f"face_vertices_image must be (B, F, 3, 2) with F at least 1, got {_shape(*image.shape)}")
    if image.dtype not in FLOATS:
        raise ValueError(f"face_vertices_image must be float32 or float64, got {image.dtype}")
    if face_idx.ndim != 3 or face_idx.shape[0] != image.shape[0] or 0 in face_idx.shape[1:]:
        raise ValueError(f"selected_face_idx must be ({image.shape[0]}, H, W), got {_shape(*face_idx.shape)}")
    if face_idx.dtype != torch.int64:
        raise ValueError(f"selected_face_idx must be int64, got {face_idx.dtype}")
    if face_idx.device != image.device:
        raise ValueError(f"selected_face_idx must be on {image.device}, got {face_idx.device}")
    _positive("sigmainv", sigmainv)
    if not 0 <= boxlen < math.inf:
        raise ValueError(f"boxlen must be finite and at least 0, got {boxlen}")
    if knum < 1:
        raise ValueError(f"knum must be at least 1, got {knum}")
    _positive("multiplier", multiplier)


def faces(name: str, tensor: Tensor, z: Tensor) -> None:
    """One value per face, where face_vertices_z is."""
    if tensor.shape != z.shape[:2]:
        raise ValueError(f"{name} must be {_shape(*z.shape[:2])}, got {_shape(*tensor.shape)}")
    if tensor.device != z.device:
        raise ValueError(f"{name} must be on {z.device}, got {tensor.device}")


def _like(name: str, tensor: Tensor, first: Tensor) -> None:
    if tensor.dtype != first.dtype:
        raise ValueError(f"{name} must be {first.dtype}, got {tensor.dtype}")
    if tensor.device != first.device:
        raise ValueError(f"{name} must be on {first.device}, got {tensor.device}")


def _positive(name: str, value: float) -> None:
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be finite and above 0, got {value}")


def _shape(*sizes: int | str) -> str:
    return f"({', '.join(map(str, sizes))})"
