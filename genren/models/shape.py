"""Shapes: the encoder of oriented clouds E_s, the deformation decoder D, and the pose generator G_p (method: 1.5)."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from genren.engine import ranks
from genren.models.blocks import Perceptron, norm

# A Gaussian (mean, log variance), each (B, dim_v).
Posterior = tuple[Tensor, Tensor]


class ShapeEncoder(nn.Module):
    """PointNet without transformers: oriented cloud to latent shape v, or to a Gaussian it is drawn from."""

    def __init__(self, width: int, dim_v: int, kind: str, dropout: float, vae: bool = False) -> None:
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
                nn.Dropout(0 if vae else dropout),
            )
            self.head += nn.Sequential(*layers)
        self.out = nn.Linear(8 * width, 2 * dim_v if vae else dim_v)
        self.posterior: nn.ModuleList | None = None
        if vae:
            self.activation = nn.Sequential(norm(2 * dim_v, kind, spatial=False), nn.ReLU())
            self.posterior = nn.ModuleList([nn.Linear(2 * dim_v, dim_v), nn.Linear(2 * dim_v, dim_v)])

    def forward(self, points: Tensor, normals: Tensor) -> tuple[Tensor, Posterior | None]:
        """Points and unit normals (B, P, 3) in the canonical frame to v (B, dim_v) and the Gaussian it came from.

        In evaluation v is the Gaussian's mean.
        """
        features = self.points(torch.cat([points, normals], dim=2).flatten(0, 1)).unflatten(0, points.shape[:2])
        v = self.out(self.head(features.max(dim=1).values))
        if self.posterior is None:
            return v, None
        mean, log_variance = (layer(self.activation(v)) for layer in self.posterior)
        if self.training:
            return mean + ((log_variance / 2).exp() + 1e-4) * ranks.draw(
                torch.randn, *mean.shape, device=mean.device
            ), (mean, log_variance)
        return mean, (mean, log_variance)


class DeformationDecoder(nn.Module):
    """Latent shape v to raw displacements of every template vertex, one per impulse."""

    def __init__(self, dim_v: int, hidden: tuple[int, ...], impulses: int, vertices: int, kind: str) -> None:
        super().__init__()
        self.impulses = impulses
        self.layers = Perceptron([dim_v, *hidden, impulses * 3 * vertices], kind, scale=0.1)

    def forward(self, v: Tensor) -> Tensor:
        """V (B, dim_v) to delta (B, impulses, V, 3)."""
        return self.layers(v).unflatten(1, (self.impulses, -1, 3))


class PoseGenerator(nn.Module):
    """Noise to a raw pose: rotation code and translation."""

    def __init__(self, dim_xi_p: int, code: int, kind: str, normalization: str = "norm") -> None:
        super().__init__()
        norms = None if normalization == "spectral" else kind
        self.layers = Perceptron([dim_xi_p, 64, code + 3], norms, scale=0.1, spectral="spectral" in normalization)

    def forward(self, xi_p: Tensor) -> Tensor:
        """Noise (B, dim_xi_p) to raw pose (B, 1, code + 3)."""
        return self.layers(xi_p)[:, None]
