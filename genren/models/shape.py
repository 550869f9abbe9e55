"""Shapes: the encoder of oriented clouds E_s, the deformation decoder D, and the pose generator G_p (method: 1.5)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from genren.models.blocks import Perceptron, norm


class ShapeEncoder(nn.Module):
    """PointNet without transformers: oriented cloud to latent shape v."""

    def __init__(self, width: int, dim_v: int, kind: str, dropout: float) -> None:
        super().__init__()
        sizes = [6, width, width, 2 * width, 16 * width]
        # One perceptron shared by all points, which are rows: the 1x1 convolutions of the original, at half their time.
        self.points = nn.Sequential()
        for inputs, outputs in pairwise(sizes):
            self.points += nn.Sequential(
                nn.Linear(inputs, outputs, bias=False), norm(outputs, kind, spatial=False), nn.ReLU()
            )
        self.head = nn.Sequential()
        for inputs, outputs in ((16 * width, 8 * width), (8 * width, 8 * width)):
            layers = (
                nn.Linear(inputs, outputs, bias=False),
                norm(outputs, kind, spatial=False),
                nn.ReLU(),
                nn.Dropout(dropout),
            )
            self.head += nn.Sequential(*layers)
        self.out = nn.Linear(8 * width, dim_v)

    def forward(self, points: Tensor, normals: Tensor) -> Tensor:
        """Points and unit normals (B, P, 3) in the canonical frame to v (B, dim_v)."""
        features = self.points(torch.cat([points, normals], dim=2).flatten(0, 1)).unflatten(0, points.shape[:2])
        return self.out(self.head(features.max(dim=1).values))


class DeformationDecoder(nn.Module):
    """Latent shape v to a raw displacement of every template vertex."""

    def __init__(self, dim_v: int, hidden: tuple[int, ...], vertices: int, kind: str) -> None:
        super().__init__()
        self.layers = Perceptron([dim_v, *hidden, 3 * vertices], kind, scale=0.1)

    def forward(self, v: Tensor) -> Tensor:
        """V (B, dim_v) to delta (B, V, 3)."""
        return self.layers(v).unflatten(1, (-1, 3))


class PoseGenerator(nn.Module):
    """Noise to a raw pose: rotation code and translation."""

    def __init__(self, dim_xi_p: int, code: int, kind: str) -> None:
        super().__init__()
        self.layers = Perceptron([dim_xi_p, 64, code + 3], kind, scale=0.1)

    def forward(self, xi_p: Tensor) -> Tensor:
        """Noise (B, dim_xi_p) to raw pose (B, 1, code + 3)."""
        return self.layers(xi_p)[:, None]
