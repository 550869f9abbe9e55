"""Textures: the UV image generator G_T and the net K_M that conditions it on the mesh (method: 1.5)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genren.models.blocks import Perceptron, SeamlessConv2d, UpBlock, norm


class MeshConditioning(nn.Module):
    """Flattened mesh to a conditioning vector. In the original its output is cut off: a fixed random projection."""

    def __init__(self, vertices: int, hidden: tuple[int, int], kind: str) -> None:
        super().__init__()
        self.layers = Perceptron([3 * vertices, *hidden], kind, activated=True)

    def forward(self, vertices: Tensor) -> Tensor:
        """Canonical vertices (B, V, 3) to (B, C)."""
        return self.layers(vertices.flatten(1))


class TextureGenerator(nn.Module):
    """Residual generator: latent texture and mesh condition to a UV texture image."""

    def __init__(self, inputs: int, width: int, size: int, kind: str, seamless: bool = False) -> None:
        super().__init__()
        # 4 x 4 pixels, doubled until `size`; channels halve with every block.
        self.width = width
        self.first = nn.Linear(inputs, 16 * width)
        nn.init.xavier_uniform_(self.first.weight)
        self.blocks = nn.Sequential()
        pixels = 4
        while pixels < size:
            self.blocks.append(UpBlock(width, width // 2, kind, seamless))
            width, pixels = width // 2, 2 * pixels
        last = (SeamlessConv2d if seamless else nn.Conv2d)(width, 3, 3, padding=1)
        self.last = nn.Sequential(norm(width, kind, spatial=True), nn.ReLU(), last)

    def forward(self, latent: Tensor) -> Tensor:
        """(B, inputs) to RGB (B, 3, size, size) in [0, 1]."""
        h = self.first(latent).unflatten(1, (self.width, 4, 4))
        return (self.last(self.blocks(h)).tanh() + 1) / 2


def sample_texture(texture: Tensor, uv: Tensor, seamless: bool = False) -> Tensor:
    """Colours (B, V, 3) of a texture image (B, 3, S, S) at coordinates (V, 2) in [-1, 1], bilinearly.

    Beyond the outermost texels' centres the border is held, or, if `seamless`, the image goes on at its other side.
    """
    if seamless:
        texture, uv = wrap(texture, 1), unwrapped(uv, texture.shape[-1], 1)
    grid = uv.expand(len(texture), 1, -1, -1)
    colors = F.grid_sample(texture, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return colors[:, :, 0].transpose(1, 2)


def wrap(texture: Tensor, texels: int) -> Tensor:
    """The image (B, 3, S, S) with `texels` columns of its other side at its left and right: (B, 3, S, S + 2 texels)."""
    return F.pad(texture, (texels, texels, 0, 0), mode="circular")


def unwrapped(uv: Tensor, size: int, texels: int) -> Tensor:
    """Coordinates (..., 2) in [-1, 1] of an image of `size` columns as those of the wrapped one."""
    return torch.stack([uv[..., 0] * (size / (size + 2 * texels)), uv[..., 1]], dim=-1)
