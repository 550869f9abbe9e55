"""Small pieces the networks share: perceptrons, normalisation, residual blocks, initialisation."""

import math
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm


def norm(channels: int, kind: str, spatial: bool) -> nn.Module:
    """Normalisation of rows (N, channels), or of maps (N, channels, H, W) if `spatial`.

    'batch' is the method's; 'group' uses no batch statistics, so that training and evaluation compute the same.
    """
    if kind == "batch":
        return nn.BatchNorm2d(channels) if spatial else nn.BatchNorm1d(channels)
    return nn.GroupNorm(math.gcd(channels, 8), channels) if spatial else nn.LayerNorm(channels)


class Perceptron(nn.Sequential):
    """Linear, norm, ELU per layer; the last layer is plain unless `activated` (method: 1.5, LBA).

    `scale` multiplies weights and biases of every linear layer once after initialisation. `kind` None leaves the norms
    out, and `spectral` divides each layer by its spectral norm.
    """

    def __init__(
        self, sizes: list[int], kind: str | None, activated: bool = False, scale: float = 1.0, spectral: bool = False
    ) -> None:
        layers: list[nn.Module] = []
        for index, (inputs, outputs) in enumerate(pairwise(sizes)):
            linear = nn.Linear(inputs, outputs)
            rescale(linear, scale)
            layers.append(spectral_norm(linear) if spectral else linear)
            if activated or index < len(sizes) - 2:
                layers += [*([norm(outputs, kind, spatial=False)] if kind else []), nn.ELU()]
        super().__init__(*layers)


class SeamlessConv2d(nn.Conv2d):
    """3x3 convolution of maps whose left and right borders are one line; zeros above and below."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to as large a map."""
        return F.conv2d(F.pad(x, (1, 1, 0, 0), mode="circular"), self.weight, self.bias, padding=(1, 0))


class UpBlock(nn.Module):
    """Residual block that doubles the image: norm, ReLU, upsample, conv, norm, ReLU, conv; 1x1 shortcut."""

    def __init__(self, inputs: int, outputs: int, kind: str, seamless: bool = False) -> None:
        super().__init__()
        self.seamless = seamless
        self.norm1, self.norm2 = norm(inputs, kind, spatial=True), norm(outputs, kind, spatial=True)
        self.conv1, self.conv2 = xavier_conv(inputs, outputs, seamless), xavier_conv(outputs, outputs, seamless)
        self.shortcut = nn.Conv2d(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, 2H, 2W)."""
        h = self.conv1(double(F.relu(self.norm1(x)), self.seamless))
        h = self.conv2(F.relu(self.norm2(h)))
        # A 1x1 convolution commutes with bilinear upsampling and costs a quarter before it.
        return h + double(self.shortcut(x), self.seamless)


class DownBlock(nn.Module):
    """Residual critic block that halves the image: ReLU, conv, ReLU, conv, average pool; 1x1 shortcut.

    The input is rectified once for both branches (method: 1.6); the first block of a critic takes it as it is.
    """

    def __init__(
        self, inputs: int, outputs: int, first: bool = False, seamless: bool = False, spectral: bool = False
    ) -> None:
        super().__init__()
        self.first = first
        self.conv1 = xavier_conv(inputs, outputs if first else inputs, seamless, spectral)
        self.conv2 = xavier_conv(outputs if first else inputs, outputs, seamless, spectral)
        shortcut = nn.Conv2d(inputs, outputs, 1)
        self.shortcut = spectral_norm(shortcut) if spectral else shortcut

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


def double(x: Tensor, seamless: bool = False) -> Tensor:
    """Bilinear upsampling by two, half-pixel convention; around the seam if the map has none."""
    if seamless:
        x = F.pad(x, (1, 1, 0, 0), mode="circular")
    x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    return x[..., 2:-2] if seamless else x


def xavier_conv(inputs: int, outputs: int, seamless: bool = False, spectral: bool = False) -> nn.Module:
    """3x3 convolution, Xavier-uniform with gain sqrt 2."""
    conv = (SeamlessConv2d if seamless else nn.Conv2d)(inputs, outputs, 3, padding=1)
    nn.init.xavier_uniform_(conv.weight, gain=math.sqrt(2))
    return spectral_norm(conv) if spectral else conv
