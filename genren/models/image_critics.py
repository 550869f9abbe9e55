"""Critics of images: the residual one of the method, and the variants its options name (method: 1.6, appendix A).

Every critic scores images (B, C, S, S) as (B,) or, patch by patch, (B, n), and hands out its `features`. `objective`
says which game it plays: 'wasserstein' with gradient penalty, or 'least_squares'.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from genren.models.blocks import DownBlock


class ImageCritic(nn.Module):
    """What all of them can do."""

    objective: str

    def features(self, image: Tensor) -> list[Tensor]:
        """What the layers make of images (B, C, S, S), finest first."""
        raise NotImplementedError


class ResidualCritic(ImageCritic):
    """Residual critic that halves the image until 2 x 2: WGAN-GP without normalisation, LSGAN with spectral norm."""

    def __init__(self, channels: int, size: int, width: int, seamless: bool = False, spectral: bool = False) -> None:
        super().__init__()
        self.objective = "least_squares" if spectral else "wasserstein"
        # Channels double with every halving and end at `width`.
        depth = size.bit_length() - 2
        widths = [max(width >> (depth - 1 - i), 4) for i in range(depth)]
        self.blocks = nn.ModuleList([DownBlock(channels, widths[0], True, seamless, spectral)])
        self.blocks.extend(DownBlock(a, b, False, seamless, spectral) for a, b in pairwise(widths))
        score = nn.Linear(widths[-1], 1)
        nn.init.xavier_uniform_(score.weight)
        self.score = spectral_norm(score) if spectral else score

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, S, S) to scores (B,)."""
        return self.score(F.relu(self.features(image)[-1]).mean((2, 3)))[:, 0]

    def features(self, image: Tensor) -> list[Tensor]:
        """Outputs of all blocks; all but the last rectified, as the next block sees them."""
        outputs: list[Tensor] = []
        x = image
        for index, block in enumerate(self.blocks):
            x, seen = block(x)
            if index:
                outputs.append(seen)
        return [*outputs, x]


class PatchCritic(ImageCritic):
    """Convolutions with spectral norm and LeakyReLU that score every patch; `strides` halve the image."""

    def __init__(
        self, channels: int, widths: list[int], kernels: list[int], strides: list[int], dropout: float
    ) -> None:
        super().__init__()
        self.objective = "least_squares"
        self.layers = nn.ModuleList()
        for (inputs, outputs), kernel, stride in zip(pairwise([channels, *widths]), kernels, strides, strict=True):
            conv = spectral_norm(nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2))
            self.layers.append(nn.Sequential(conv, nn.LeakyReLU(0.2), nn.Dropout2d(dropout)))
        self.score = spectral_norm(nn.Conv2d(widths[-1], 1, 1))

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, S, S) to scores of patches (B, n)."""
        return self.score(self.features(image)[-1]).flatten(1)

    def features(self, image: Tensor) -> list[Tensor]:
        """Outputs of all layers."""
        outputs: list[Tensor] = []
        for layer in self.layers:
            outputs.append(layer(outputs[-1] if outputs else image))
        return outputs


class MiniCritic(PatchCritic):
    """1x1 and 3x3 convolutions without downsampling, for WGAN-GP: an image's score is the mean over its patches."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__(channels, [width // 8, width // 4, width // 4], [1, 3, 3], [1, 1, 1], dropout=0)
        self.objective = "wasserstein"

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, S, S) to scores (B,)."""
        return super().forward(image).mean(1)


class MultiscaleCritic(ImageCritic):
    """Three patch critics: on the image, its half and its quarter."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.objective = "least_squares"
        self.scales = nn.ModuleList([_patches(channels, width, dropout=0.2) for _ in range(3)])

    def forward(self, image: Tensor) -> Tensor:
        """(B, channels, S, S) to scores of patches of all scales (B, n)."""
        scaled = zip(self.scales, self._pyramid(image), strict=True)
        return torch.cat([critic(part) for critic, part in scaled], dim=1)

    def features(self, image: Tensor) -> list[Tensor]:
        """Outputs of all layers of all scales."""
        outputs: list[Tensor] = []
        for critic, part in zip(self.scales, self._pyramid(image), strict=True):
            assert isinstance(critic, ImageCritic)
            outputs += critic.features(part)
        return outputs

    def _pyramid(self, image: Tensor) -> list[Tensor]:
        half = F.avg_pool2d(image, 2)
        return [image, half, F.avg_pool2d(half, 2)]


def _patches(channels: int, width: int, dropout: float) -> PatchCritic:
    """The patch critic of 4x4 convolutions, three of them with stride 2."""
    widths = [max(width // 16, 4), max(width // 8, 4), max(width // 4, 4)]
    return PatchCritic(channels, widths, [4, 4, 4], [2, 2, 2], dropout)


def image_critic(kind: str, channels: int, size: int, width: int, seamless: bool = False) -> ImageCritic:
    """The critic that `critics.image` names; `seamless` goes round the borders of texture images."""
    if kind == "mini":
        return MiniCritic(channels, width)
    if kind == "multiscale":
        return MultiscaleCritic(channels, width)
    if kind == "patch":
        return _patches(channels, width, dropout=0)
    return ResidualCritic(channels, size, width, seamless, spectral=kind == "spectral")
