"""The critics: image C_I, texture C_T, shape C_S, and the adversarial rotation predictor C_A (method: 1.6)."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genren.geometry.rotations import from_quaternion
from genren.models.blocks import DownBlock, Perceptron
from genren.params import CriticParams, ModelParams


class ImageCritic(nn.Module):
    """Residual WGAN-GP critic without normalisation; halves the image until 2 x 2."""

    def __init__(self, channels: int, size: int, width: int) -> None:
        super().__init__()
        # Channels double with every halving and end at `width`.
        depth = size.bit_length() - 2
        widths = [max(width >> (depth - 1 - i), 4) for i in range(depth)]
        self.blocks = nn.ModuleList([DownBlock(channels, widths[0], first=True)])
        self.blocks.extend(DownBlock(a, b) for a, b in pairwise(widths))
        self.score = nn.Linear(widths[-1], 1)
        nn.init.xavier_uniform_(self.score.weight)

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


class ShapeCritic(nn.Module):
    """Critic of (v, M): the mesh is compressed, joined to v and scored; the penalty acts on the joint vector."""

    def __init__(self, vertices: int, dim_v: int, hidden: tuple[int, int], kind: str) -> None:
        super().__init__()
        self.mesh = Perceptron([3 * vertices, *hidden], kind, activated=True)
        sizes = [dim_v + hidden[1], hidden[0], hidden[0] // 2, hidden[0] // 4]
        self.layers = nn.Sequential()
        for inputs, outputs in pairwise(sizes):
            self.layers += nn.Sequential(nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.LeakyReLU(0.2))
        self.layers.append(nn.Linear(sizes[-1], 1))

    def join(self, v: Tensor, vertices: Tensor) -> Tensor:
        """V (B, dim_v) and canonical vertices (B, V, 3) to the vector that is scored."""
        return torch.cat([v, self.mesh(vertices.flatten(1))], dim=1)

    def forward(self, joint: Tensor) -> Tensor:
        """(B, joint) to scores (B,)."""
        return self.layers(joint)[:, 0]


class _ResidualPair(nn.Module):
    """CIFAR ResNet block with a parameter-free shortcut: subsampled, zero-padded."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.stride, self.extra = stride, outputs - inputs
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        h = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        half = self.extra // 2
        shortcut = F.pad(x[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, half, self.extra - half))
        return F.relu(h + shortcut)


class RotationCritic(nn.Module):
    """C_A: CIFAR ResNet-20 that reads the viewing rotation off a texture image, which must not encode it."""

    def __init__(self, width: int = 16) -> None:
        super().__init__()
        blocks = [_ResidualPair(width, width, 1) for _ in range(3)]
        for inputs in (width, 2 * width):
            blocks += [
                _ResidualPair(inputs, 2 * inputs, 2),
                *(_ResidualPair(2 * inputs, 2 * inputs, 1) for _ in range(2)),
            ]
        self.stem = nn.Sequential(nn.Conv2d(3, width, 3, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.blocks = nn.Sequential(*blocks)
        self.out = nn.Linear(4 * width, 4)
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.kaiming_normal_(module.weight)

    def forward(self, texture: Tensor) -> Tensor:
        """Texture images (B, 3, S, S) to rotations (B, 3, 3)."""
        return from_quaternion(self.out(self.blocks(self.stem(texture)).mean((2, 3))))


class Critics(nn.Module):
    """All critics."""

    def __init__(self, params: CriticParams, model: ModelParams, vertices: int) -> None:
        super().__init__()
        self.image = ImageCritic(4, model.img_size, params.width)
        self.texture = ImageCritic(3, model.texture_size, params.width)
        self.shape = ShapeCritic(vertices, model.dim_v, params.shape_hidden, model.norm)
        # 16 channels beside image critics of 1024 (method: 1.6).
        self.rotation = RotationCritic(max(params.width // 64, 2))
