"""The camera-aware renderer of the model: posed meshes of one topology, coloured or textured, to RGBA images."""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

from genren.geometry.camera import NEAR, Camera
from genren.geometry.surface import at_corners
from genren.params import Backend, RenderParams
from genren.render.dibr import dibr_rasterization, rasterize
from genren.render.texture import texture_mapping


@dataclass(frozen=True)
class Renderer:
    """Draws meshes with DIB-R, both sides of every face.

    Images are RGBA (B, 4, size, size): RGB composited over black and mapped to [-1, 1], alpha in [0, 1]. A face with a
    corner nearer than the near plane gives neither colour nor alpha. Inside `torch.use_deterministic_algorithms(True)`
    gradients are equal bit for bit, run after run, on CUDA too.
    """

    faces: Tensor  # (F, 3) int64
    camera: Camera
    size: int  # pixels of the square image
    params: RenderParams
    soft: bool = True  # alpha is the soft mask, which the shape can learn from; else coverage

    @classmethod
    def hard(cls, faces: Tensor, camera: Camera, size: int, backend: Backend = "auto") -> "Renderer":
        """A renderer for pictures: antialiased, alpha is coverage, without the halo of the soft mask."""
        params = RenderParams(supersample=2, sigmainv=7000, boxlen=0.02, knum=30, backend=backend)
        return cls(faces, camera, size, params, soft=False)

    def __post_init__(self) -> None:
        if self.faces.ndim != 2 or self.faces.shape[1] != 3 or self.faces.dtype != torch.int64 or not len(self.faces):
            raise ValueError(f"faces must be (F, 3) int64, got {tuple(self.faces.shape)} {self.faces.dtype}")
        lowest, _ = self._span
        if lowest < 0:
            raise ValueError(f"faces must index vertices from 0 on, got {lowest}")

    def __call__(self, vertices: Tensor, colors: Tensor) -> Tensor:
        """Draw world vertices (B, V, 3) with RGB colours in [0, 1] at the vertices (B, V, 3)."""
        self._check(vertices)
        if colors.shape != vertices.shape:
            raise ValueError(f"colors must be {tuple(vertices.shape)} as the vertices, got {tuple(colors.shape)}")
        rgb, alpha, _ = self._draw(vertices, at_corners(colors, self.faces))
        return self._image(rgb, alpha)

    def textured(self, vertices: Tensor, texture_maps: Tensor, face_uvs: Tensor) -> Tensor:
        """Draw world vertices (B, V, 3) with a texture that every pixel reads for itself, bilinearly.

        Args:
            vertices: (B, V, 3) in world space.
            texture_maps: (B, 3, h, w) RGB in [0, 1].
            face_uvs: (F, 3, 2) texture coordinates of the faces' corners, u right and v up, (0, 0) the lower left
                corner of the map; beyond [0, 1] they are clamped.

        """
        self._check(vertices)
        if face_uvs.shape != (*self.faces.shape, 2):
            raise ValueError(f"face_uvs must be {(*self.faces.shape, 2)}, got {tuple(face_uvs.shape)}")
        uvs, alpha, face_idx = self._draw(vertices, face_uvs.expand(len(vertices), -1, -1, -1))
        covered = (face_idx >= 0)[..., None]
        return self._image(texture_mapping(uvs, texture_maps, mode="bilinear") * covered, alpha)

    def _check(self, vertices: Tensor) -> None:
        _, highest = self._span
        if vertices.ndim != 3 or vertices.shape[2] != 3 or vertices.shape[1] <= highest:
            raise ValueError(
                f"vertices must be (B, V, 3) with V above {highest}, the faces' last index, got {tuple(vertices.shape)}"
            )

    def _draw(self, vertices: Tensor, features: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Features (B, h, w, D), alpha (B, h, w) and face_idx (B, h, w) at the supersampled size."""
        p, side = self.params, self.size * self.params.supersample
        points = self.camera.to_camera(vertices)
        image = at_corners(self.camera.project(points), self.faces)
        depth = at_corners(points[..., 2:], self.faces)[..., 0]
        in_front = (depth < -NEAR).all(-1)
        if not self.soft:
            drawn, face_idx = rasterize(side, side, depth, image, features, in_front, backend=p.backend)
            return drawn, (face_idx >= 0).to(drawn.dtype), face_idx
        # The soft mask counts every face it is given: those behind the near plane move out of its reach.
        image = torch.where(in_front[..., None, None], image, 10.0)
        visible = in_front.to(depth.dtype) * 2 - 1
        softness = p.sigmainv, p.boxlen, p.knum
        return dibr_rasterization(side, side, depth, image, features, visible, *softness, rast_backend=p.backend)

    def _image(self, rgb: Tensor, alpha: Tensor) -> Tensor:
        """RGB (B, h, w, 3) in [0, 1] and alpha (B, h, w) averaged down to the size: (B, 4, size, size)."""
        rgba = torch.cat([rgb, alpha[..., None]], dim=-1).permute(0, 3, 1, 2)
        if self.params.supersample > 1:
            rgba = F.avg_pool2d(rgba, self.params.supersample)
        return torch.cat([rgba[:, :3] * 2 - 1, rgba[:, 3:]], dim=1)

    @cached_property
    def _span(self) -> tuple[int, int]:
        """Lowest and highest vertex that the faces use; looked up once, since it synchronises CUDA."""
        return int(self.faces.min()), int(self.faces.max())
