"""What an image shows at the projections of posed vertices, and what hides them (method: 2.4)."""

import torch
from torch import Tensor
from torch.nn import functional as F

from genren.geometry.camera import Camera
from genren.models.parts import Draw


def unproject(image: Tensor, posed: Tensor, camera: Camera, align_corners: bool, guarded: bool = True) -> Tensor:
    """Pixels (B, H, V, 4) of RGBA images (B, 4, S, S) at the projections of posed vertices (B, H, V, 3).

    Bilinear, zero outside the frame, no visibility test. `align_corners` is the original's grid, up to half a pixel off
    the rasteriser's pixel centres. If not `guarded`, what is behind the camera is projected upside down, as there.
    """
    return _read(image, _grid(posed, camera, guarded), "zeros", align_corners)


def hidden_depth(posed: Tensor, camera: Camera, draw: Draw, align_corners: bool, guarded: bool = True) -> Tensor:
    """How far posed vertices (B, H, V, 3) lie behind the surface that is visible at their projections: (B, H, V, 1).

    Depth is drawn as a colour, in each mesh's own range, with alpha; about 0 where the vertex is visible.
    """
    world, hypotheses = posed.flatten(0, 1), posed.shape[:2]
    depth = -camera.to_camera(world)[..., 2:]  # (B H, V, 1), positive in front of the camera
    near, far = depth.amin(1, keepdim=True), depth.amax(1, keepdim=True)
    span = (far - near).clamp_min(1e-6)
    drawn = draw(world, ((depth - near) / span).expand(-1, -1, 3))
    alpha = drawn[:, 3:]
    surface = (drawn[:, :1] + 1) / 2 * span[..., None] + near[..., None]
    # (B, H, 2, S, S): depth times alpha, and alpha, so that their quotient is sound on the silhouette.
    layers = torch.cat([surface * alpha, alpha], dim=1)
    grid = _grid(posed, camera, guarded).flatten(0, 1)[:, None]
    weighted, coverage = _read(layers, grid, "border", align_corners)[:, 0].split(1, dim=-1)
    return (depth - weighted / coverage.clamp_min(1e-5)).unflatten(0, hypotheses)


def _grid(posed: Tensor, camera: Camera, guarded: bool) -> Tensor:
    """Projections (B, H, V, 2) as grid_sample wants them: y runs down."""
    projected = camera.project(camera.to_camera(posed.flatten(1, 2)), guarded)
    return torch.stack([projected[..., 0], -projected[..., 1]], dim=-1).unflatten(1, posed.shape[1:3])


def _read(image: Tensor, grid: Tensor, padding: str, align_corners: bool) -> Tensor:
    """Values (B, H, V, C) of an image (B, C, S, S) at a grid (B, H, V, 2)."""
    return F.grid_sample(image, grid, padding_mode=padding, align_corners=align_corners).permute(0, 2, 3, 1)
