"""The camera-aware renderer of the model: posed coloured meshes to RGBA images."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from genren.geometry.camera import NEAR, Camera
from genren.geometry.surface import at_corners
from genren.params import RenderParams
from genren.render.dibr import dibr_rasterization


@dataclass(frozen=True)
class Renderer:
    """Draws vertex-coloured meshes of one topology with DIB-R, both sides of every face."""

    faces: Tensor  # (F, 3) int64
    camera: Camera
    size: int  # pixels of the square image
    params: RenderParams

    @classmethod
    def hard(cls, faces: Tensor, camera: Camera, size: int) -> "Renderer":
        """A renderer for pictures: antialiased, alpha is coverage, without the halo of the soft mask."""
        return cls(faces, camera, size, RenderParams(supersample=2, sigmainv=1e9, boxlen=1e-6, knum=10**6))

    def __call__(self, vertices: Tensor, colors: Tensor) -> Tensor:
        """World vertices (B, V, 3) and their RGB in [0, 1] (B, V, 3) to RGBA (B, 4, size, size).

        RGB is composited over black and mapped to [-1, 1]; alpha in [0, 1] is the soft mask. A face with a corner
        nearer than the near plane gives neither colour nor alpha.
        """
        p = self.params
        points = self.camera.to_camera(vertices)
        image = at_corners(self.camera.project(points), self.faces)
        depth = at_corners(points[..., 2:], self.faces)[..., 0]
        in_front = (depth < -NEAR).all(-1)
        # The soft mask counts every face it is given: those behind the near plane move out of its reach.
        image = torch.where(in_front[..., None, None], image, 10.0)
        side = self.size * p.supersample
        visible = in_front.to(depth.dtype) * 2 - 1
        rgb, alpha, _ = dibr_rasterization(
            side, side, depth, image, at_corners(colors, self.faces), visible, p.sigmainv, p.boxlen, p.knum
        )
        rgba = torch.cat([rgb, alpha[..., None]], dim=-1).permute(0, 3, 1, 2)
        if p.supersample > 1:
            rgba = F.avg_pool2d(rgba, p.supersample)
        return torch.cat([rgba[:, :3] * 2 - 1, rgba[:, 3:]], dim=1)
