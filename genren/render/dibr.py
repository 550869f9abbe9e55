"""DIB-R, the interpolation-based differentiable rasteriser (Chen et al., NeurIPS 2019, arXiv 1908.01210).

Names, argument order and semantics are those of `kaolin.render.mesh`: features come from a hard z-buffer with affine
barycentric interpolation; the soft mask is 1 on covered pixels and 1 - prod(1 - exp(-d^2 sigmainv)) elsewhere.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from genren.render import check, kaolin, ops

OURS = ("auto", "warp")
BACKENDS = (*OURS, *kaolin.BACKENDS)


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
        backend: 'auto' and 'warp' are the kernels of this package; 'kaolin' (or its own name for them, 'cuda'),
            'nvdiffrast' and 'nvdiffrast_fwd' hand over to Kaolin on CUDA.

    Returns:
        Features (B, height, width, D), zero where no face is, or a tuple of such for a list; and face_idx
        (B, height, width) int64, -1 where no face is. Of equally near faces the first is drawn. Gradients reach
        face_features and face_vertices_image, not face_vertices_z.

    Raises:
        ValueError: an argument has the wrong shape, dtype, device or range, or the back end is unknown. Coordinates
            that are not finite are refused on the CPU; on CUDA, where looking at them would stall the device, only
            inside `torch.autograd.set_detect_anomaly(True)`: elsewhere such a face is not drawn.

    """
    check.backend(backend, BACKENDS)
    if backend not in OURS:
        arguments = face_vertices_z, face_vertices_image, face_features, valid_faces, multiplier, eps
        return kaolin.rasterize(height, width, *arguments, backend=backend)
    parts = check.features(face_features)
    joined = parts[0] if len(parts) == 1 else torch.cat(parts, dim=-1)
    z, image, joined = check.full_precision(face_vertices_z, face_vertices_image, joined)
    if valid_faces is None:
        valid_faces = torch.ones(z.shape[:2], dtype=torch.bool, device=z.device)
    multiplier, eps = 1000.0 if multiplier is None else float(multiplier), 1e-8 if eps is None else float(eps)
    check.rasterize(height, width, z, image, joined, valid_faces, multiplier, eps)

    drawn, face_idx = ops.rasterize(height, width, z, image, joined, valid_faces, multiplier, eps)
    if isinstance(face_features, Tensor):
        return drawn, face_idx
    return drawn.split([part.shape[-1] for part in parts], dim=-1), face_idx


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

    Raises:
        ValueError: as `rasterize`.

    """
    (image,) = check.full_precision(face_vertices_image)
    check.soft_mask(image, selected_face_idx, sigmainv, boxlen, knum, multiplier)
    constants = float(sigmainv), float(boxlen), int(knum), float(multiplier)
    mask: Tensor = ops.soft_mask(image, selected_face_idx, *constants)[0]
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
        Features (B, H, W, D) or a tuple of such, soft mask (B, H, W), face_idx (B, H, W).

    Raises:
        ValueError: as `rasterize`.

    """
    check.backend(rast_backend, BACKENDS)
    if rast_backend not in OURS:
        arguments = face_vertices_z, face_vertices_image, face_features, face_normals_z
        return kaolin.dibr_rasterization(
            height, width, *arguments, sigmainv, boxlen, knum, multiplier, eps, rast_backend
        )
    check.faces("face_normals_z", face_normals_z, face_vertices_z)
    features, face_idx = rasterize(
        height, width, face_vertices_z, face_vertices_image, face_features, face_normals_z >= 0, multiplier, eps
    )
    scale = 1000.0 if multiplier is None else multiplier
    return features, dibr_soft_mask(face_vertices_image, face_idx, sigmainv, boxlen, knum, scale), face_idx
