"""Small pieces the networks share: perceptrons, normalisation, residual blocks, initialisation."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def norm(channels: int, kind: str, spatial: bool) -> nn.Module:
    """Normalisation of rows (N, channels), or of maps (N, channels, H, W) if `spatial`.

    'batch' is the method's; 'group' uses no batch statistics, so that training and evaluation compute the same.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels) if spatial else nn.BatchNorm1d(channels)
    return nn.GroupNorm(math.gcd(channels, 8), channels) if spatial else nn.LayerNorm(channels)


class Perceptron(nn.Sequential):
    """Linear, norm, ELU per layer; the last layer is plain unless `activated` (method: 1.5, LBA).

    `scale` multiplies weights and biases of every linear layer once after initialisation.
    """

    def __init__(self, sizes: list[int], kind: str, activated: bool = False, scale: float = 1.0) -> None:
        layers: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            linear = nn.Linear(inputs, outputs)
            rescale(linear, scale)
            layers.append(linear)
            if activated or index < len(sizes) - 2:
                layers += [norm(outputs, kind, spatial=False), nn.ELU()]
        super().__init__(*layers)


class UpBlock(nn.Module):
    """Residual block that doubles the image: norm, ReLU, upsample, conv, norm, ReLU, conv; 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int, kind: str) -> None:
        super().__init__()
        self.norm1, self.norm2 = norm(inputs, kind, spatial=True), norm(outputs, kind, spatial=True)
        self.conv1, self.conv2 = xavier_conv(inputs, outputs), xavier_conv(outputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        h = self.conv1(double(F.relu(self.norm1(x))))
        h = self.conv2(F.relu(self.norm2(h)))
        # A 1x1 convolution commutes with bilinear upsampling and costs a quarter before it.
        return h + double(self.shortcut(x))


class DownBlock(nn.Module):
    """Residual critic block that halves the image: ReLU, conv, ReLU, conv, average pool; 1x1 shortcut.

    The input is rectified once for both branches (method: 1.6); the first block of a critic takes it as it is.
    """

    def __init__(self, inputs: int, outputs: int, first: bool = False) -> None:
        super().__init__()
        self.first = first
        self.conv1 = xavier_conv(inputs, outputs if first else inputs)
        self.conv2 = xavier_conv(outputs if first else inputs, outputs)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(B, inputs, H, W) to (B, outputs, H/2, W/2), and the input as both branches saw it."""
        if not self.first:
            x = F.relu(x)
        h = self.conv2(F.relu(self.conv1(x)))
        # Pooling first is the same linear map as pooling the shortcut's output, at a quarter of its cost.
        return F.avg_pool2d(h, 2) + self.shortcut(F.avg_pool2d(x, 2)), x


@torch.no_grad()
def rescale(linear: nn.Linear, scale: float) -> None:
    """Multiply weights and bias by `scale`, once after initialisation."""
    linear.weight.mul_(scale)
    linear.bias.mul_(scale)


def double(x: Tensor) -> Tensor:
    """Bilinear upsampling by two, half-pixel convention."""
    return F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)


def xavier_conv(inputs: int, outputs: int) -> nn.Conv2d:
    """3x3 convolution, Xavier-uniform with gain sqrt 2."""
    conv = nn.Conv2d(inputs, outputs, 3, padding=1)
    nn.init.xavier_uniform_(conv.weight, gain=math.sqrt(2))
    return conv
