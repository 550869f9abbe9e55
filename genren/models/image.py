"""Image inference Q: backbone, heads for shape, pose and its probability, texture by unprojection (method: 1.5)."""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genren.geometry.rotations import CODE_SIZES, code_of_azimuth
from genren.models.blocks import Perceptron, norm


class BasicBlock(nn.Module):
    """ResNet block of two 3x3 convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int, kind: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.norm1, self.norm2 = norm(outputs, kind, spatial=True), norm(outputs, kind, spatial=True)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inputs, outputs, 1, stride, bias=False), norm(outputs, kind, spatial=True)
            )

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H/stride, W/stride)."""
        h = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.norm2(self.conv2(h)) + self.shortcut(x))


class Backbone(nn.Module):
    """ResNet-18 for RGBA images, ending in an embedding with norm and ReLU."""

    def __init__(self, width: int, dim_embedding: int, kind: str) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(4, width, 7, 2, 3, bias=False), norm(width, kind, spatial=True), nn.ReLU(), nn.MaxPool2d(3, 2, 1)
        )
        self.stages = nn.Sequential()
        inputs = width
        for factor, stride in ((1, 1), (2, 2), (4, 2), (8, 2)):
            outputs = factor * width
            blocks = BasicBlock(inputs, outputs, stride, kind), BasicBlock(outputs, outputs, 1, kind)
            self.stages += nn.Sequential(*blocks)
            inputs = outputs
        self.out = nn.Sequential(nn.Linear(inputs, dim_embedding), norm(dim_embedding, kind, spatial=False), nn.ReLU())
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> Tensor:
        """RGBA (B, 4, S, S), RGB in [-1, 1], alpha in [0, 1], to the embedding q (B, dim_embedding)."""
        return self.out(self.stages(self.stem(image)).mean((2, 3)))


class PoseHeads(nn.Module):
    """Embedding to H raw poses and the logits of their probabilities."""

    def __init__(self, dim_embedding: int, hypotheses: int, rotation: str, kind: str, spread: bool) -> None:
        super().__init__()
        self.hypotheses = hypotheses
        size = CODE_SIZES[rotation] + 3
        self.pose = Perceptron([dim_embedding, 2 * size * hypotheses, size * hypotheses], kind, scale=0.1)
        self.logits = Perceptron([dim_embedding, 32 * hypotheses, hypotheses], kind, scale=0.1)
        if not spread:
            return
        # Hypotheses begin around the up axis, each in a basin of its own.
        azimuths = 2 * math.pi * torch.arange(hypotheses) / hypotheses
        codes = code_of_azimuth(azimuths, math.radians(25), rotation)
        last = self.pose[-1]
        assert isinstance(last, nn.Linear)
        with torch.no_grad():
            last.bias.add_(torch.cat([codes, torch.zeros(hypotheses, 3)], dim=1).flatten())

    def forward(self, q: Tensor) -> tuple[Tensor, Tensor]:
        """Embedding (B, E) to raw poses (B, H, code + 3) and logits (B, H)."""
        return self.pose(q).unflatten(1, (self.hypotheses, -1)), self.logits(q)


def probabilities(logits: Tensor, kind: str) -> Tensor:
    """Probabilities (B, H) of hypotheses from logits (B, H) (method: 1.3).

    'softmax'; 'simplex', shares of tanh + 1, which sum to 1 but for 1e-6; 'allan', a softmax whose largest logit is
    lowered to the median, by 9.2 at most, as are those between.
    """
    if kind == "simplex":
        share = logits.tanh() + 1 + 0.005
        return share / (share.sum(1, keepdim=True) + 1e-6)
    if kind == "allan":
        highest, median = logits.amax(1, keepdim=True), logits.median(1, keepdim=True).values
        logits = torch.minimum(logits, highest - (highest - median).clamp_max(9.2))
    return logits.softmax(1)


class TextureInference(nn.Module):
    """Pixels read at the projected vertices, the embedding and the shape, to one latent texture per hypothesis."""

    def __init__(
        self, values: int, dim_embedding: int, dim_v: int, hidden: tuple[int, int, int], out: int, kind: str
    ) -> None:
        super().__init__()
        unprojected, first, second = hidden
        self.shape = Perceptron([dim_v, 128, 32], kind, activated=True)
        self.pixels = Perceptron([values, unprojected], kind, activated=True)
        self.joint = Perceptron([unprojected + dim_embedding + 32, first, second, out], kind)

    def forward(self, q: Tensor, v: Tensor, pixels: Tensor) -> Tensor:
        """Embedding (B, E), shape (B, dim_v), values at vertices (B, H, V, 4 or 5), to xi_T (B, H, dim_xi_t)."""
        hypotheses = pixels.shape[1]
        common = torch.cat([q, self.shape(v)], dim=1).repeat_interleave(hypotheses, dim=0)
        joint = torch.cat([self.pixels(pixels.flatten(0, 1).flatten(1)), common], dim=1)
        return self.joint(joint).unflatten(0, (-1, hypotheses))
