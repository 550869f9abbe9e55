"""Textures: the UV image generator G_T and the net K_M that conditions it on the mesh (method: 1.5)."""

from torch import Tensor, nn
from torch.nn import functional as F

from genren.models.blocks import Perceptron, UpBlock, norm


class MeshConditioning(nn.Module):
    """Flattened mesh to a conditioning vector. Its output is used detached: a fixed random projection, by method."""

    def __init__(self, vertices: int, hidden: tuple[int, int], kind: str) -> None:
        super().__init__()
        self.layers = Perceptron([3 * vertices, *hidden], kind, activated=True)

    def forward(self, vertices: Tensor) -> Tensor:
        """Canonical vertices (B, V, 3) to (B, C)."""
        return self.layers(vertices.flatten(1))


class TextureGenerator(nn.Module):
    """Residual generator: latent texture and mesh condition to a UV texture image."""

    def __init__(self, inputs: int, width: int, size: int, kind: str) -> None:
        super().__init__()
        # 4 x 4 pixels, doubled until `size`; channels halve with every block.
        self.width = width
        self.first = nn.Linear(inputs, 16 * width)
        nn.init.xavier_uniform_(self.first.weight)
        self.blocks = nn.Sequential()
        pixels = 4
        while pixels < size:
            self.blocks.append(UpBlock(width, width // 2, kind))
            width, pixels = width // 2, 2 * pixels
        self.last = nn.Sequential(norm(width, kind, spatial=True), nn.ReLU(), nn.Conv2d(width, 3, 3, padding=1))

    def forward(self, latent: Tensor) -> Tensor:
        """(B, inputs) to RGB (B, 3, size, size) in [0, 1]."""
        h = self.first(latent).unflatten(1, (self.width, 4, 4))
        return (self.last(self.blocks(h)).tanh() + 1) / 2


def sample_texture(texture: Tensor, uv: Tensor) -> Tensor:
    """Colours (B, V, 3) of a texture image (B, 3, S, S) at coordinates (V, 2) in [-1, 1]: bilinear, border clamped."""
    grid = uv.expand(len(texture), 1, -1, -1)
    colors = F.grid_sample(texture, grid, mode="bilinear", padding_mode="border", align_corners=False)
    return colors[:, :, 0].transpose(1, 2)
