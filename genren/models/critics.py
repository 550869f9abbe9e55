"""The critics but those of images: of shapes, histograms, latents and poses, and C_A (method: 1.6)."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genren.geometry.rotations import from_quaternion
from genren.models.blocks import Perceptron
from genren.models.histogram import RGB_BINS, UV_BINS, color_histogram
from genren.models.image_critics import ImageCritic, image_critic
from genren.models.parts import Pose
from genren.params import CriticParams, ModelParams


class VectorCritic(nn.Sequential):
    """WGAN-GP critic of vectors: linear, LayerNorm, LeakyReLU per layer, then a score."""

    objective = "wasserstein"

    def __init__(self, sizes: list[int]) -> None:
        layers: list[nn.Module] = []
        for inputs, outputs in pairwise(sizes):
            layers += [nn.Linear(inputs, outputs), nn.LayerNorm(outputs), nn.LeakyReLU(0.2)]
        super().__init__(*layers, nn.Linear(sizes[-1], 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, D) to scores (B,)."""
        return super().forward(x)[:, 0]


class ShapeCritic(nn.Module):
    """Critic of (v, M): the mesh is compressed, joined to v and scored; or of v alone.

    What it scores is a vector: (v, compressed mesh), on which the original's penalty acts, or with `on_input`
    (v, mesh), so that the penalty bounds the compression too.
    """

    objective = "wasserstein"

    def __init__(self, vertices: int, dim_v: int, params: CriticParams, kind: str) -> None:
        super().__init__()
        hidden, self.dim_v = params.shape_hidden, dim_v
        self.latent, self.on_input = params.shape == "latent", params.shape_penalty == "input"
        self.mesh = None if self.latent else Perceptron([3 * vertices, *hidden], kind, activated=True)
        joint = dim_v + (0 if self.latent else hidden[1])
        self.layers = VectorCritic([joint, hidden[0], hidden[0] // 2, hidden[0] // 4])

    def join(self, v: Tensor, vertices: Tensor) -> Tensor:
        """V (B, dim_v) and canonical vertices (B, V, 3) to the vector that is scored."""
        if self.mesh is None:
            return v
        return torch.cat([v, vertices.flatten(1) if self.on_input else self.mesh(vertices.flatten(1))], dim=1)

    def forward(self, joint: Tensor) -> Tensor:
        """(B, joint) to scores (B,)."""
        if self.mesh is not None and self.on_input:
            joint = torch.cat([joint[:, : self.dim_v], self.mesh(joint[:, self.dim_v :])], dim=1)
        return self.layers(joint)


class HistogramCritic(nn.Module):
    """Critic of the colours a texture has, wherever they are."""

    objective = "wasserstein"

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind = kind
        self.layers = VectorCritic([RGB_BINS**3 if kind == "rgb" else UV_BINS**2, 512, 256, 128])

    def forward(self, texture: Tensor) -> Tensor:
        """Texture images (B, 3, S, S) in [0, 1] to scores (B,)."""
        return self.layers(color_histogram(texture, self.kind))


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


class Critics(nn.ModuleDict):
    """All critics of a run by name: image, shape, rotation; texture, histogram, xi_t and pose where settings ask."""

    image: ImageCritic
    shape: ShapeCritic

    def __init__(self, params: CriticParams, model: ModelParams, vertices: int) -> None:
        critics: dict[str, Callable[[], nn.Module]] = {
            "image": lambda: image_critic(params.image, 4, model.img_size, params.width),
            "texture": lambda: image_critic("residual", 3, model.texture_size, params.width, model.seamless),
            "histogram": lambda: HistogramCritic(params.histogram),
            "shape": lambda: ShapeCritic(vertices, model.dim_v, params, model.norm),
            "xi_t": lambda: VectorCritic([model.dim_xi_t, 512, 256, 128]),
            "pose": lambda: VectorCritic([12, 512, 256, 128]),
            # 16 channels beside image critics of 1024 (method: 1.6).
            "rotation": lambda: RotationCritic(max(params.width // 64, 2)),
        }
        unused = {
            *({"texture", "histogram"} - set(params.texture.replace("image", "texture").split("+"))),
            *({"xi_t"} if params.xi_t == "swd" else {}),
            *({"pose"} if params.pose != "wgan" else {}),
        }
        super().__init__({name: make() for name, make in critics.items() if name not in unused})


def pose_vector(pose: Pose) -> Tensor:
    """Poses of one hypothesis as vectors (B, 12) for their critic: rotation matrix and translation."""
    return torch.cat([pose.rotation[:, 0].flatten(1), pose.translation[:, 0]], dim=1)
