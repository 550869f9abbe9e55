"""What the model's programs hand to each other: shapes, poses, textures, inferences."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Shape:
    """Canonical shapes."""

    v: Tensor  # (B, dim_v) latent shape
    delta: Tensor  # (B, impulses, V, 3) raw displacements
    vertices: Tensor  # (B, V, 3) canonical vertices M
    between: Tensor  # (B, impulses - 1, V, 3) meshes on the way from the template to M
    posterior: tuple[Tensor, Tensor] | None = None  # mean and log variance (B, dim_v) that v was drawn from, if it was

    def __getitem__(self, rows: Tensor | slice) -> "Shape":
        """Some of the shapes, without where they were drawn from."""
        return Shape(self.v[rows], self.delta[rows], self.vertices[rows], self.between[rows])


@dataclass(frozen=True)
class Pose:
    """Rotations and translations of H hypotheses."""

    rotation: Tensor  # (B, H, 3, 3)
    translation: Tensor  # (B, H, 3)

    def detach(self) -> "Pose":
        """The same poses without their history."""
        return Pose(self.rotation.detach(), self.translation.detach())


@dataclass(frozen=True)
class Texture:
    """UV texture images and the colours the template's vertices read from them."""

    image: Tensor  # (B, 3, S, S) in [0, 1]
    colors: Tensor  # (B, V, 3) in [0, 1]

    def __getitem__(self, rows: Tensor | slice | list[int]) -> "Texture":
        """Some of the textures."""
        return Texture(self.image[rows], self.colors[rows])


# World vertices (B, V, 3) and their textures, or colours at them (B, V, 3), to images (B, 4, S, S).
Draw = Callable[[Tensor, Texture | Tensor], Tensor]


@dataclass(frozen=True)
class Inference:
    """Everything Q reads off an image."""

    shape: Shape
    pose: Pose
    probabilities: Tensor  # (B, H), rows sum to 1
    posed: Tensor  # (B, H, V, 3) vertices in the world
    xi_t: Tensor  # (B, H, dim_xi_t) latent texture

    @property
    def best(self) -> Tensor:
        """Index (B,) of the most probable hypothesis; ties go to the first."""
        return self.probabilities.detach().argmax(1)

    def of_best(self, tensor: Tensor) -> Tensor:
        """The most probable hypothesis' slice (B, ...) of a tensor (B, H, ...)."""
        return tensor[torch.arange(len(tensor), device=tensor.device), self.best]

    def best_texture(self, textures: Texture) -> Texture:
        """The most probable hypothesis' textures (B, ...) of all hypotheses' (B H, ...)."""
        parts = (part.unflatten(0, self.probabilities.shape) for part in (textures.image, textures.colors))
        return Texture(*(self.of_best(part) for part in parts))

    @property
    def best_pose(self) -> Pose:
        """The most probable hypothesis' pose, as one hypothesis: (B, 1, ...)."""
        return Pose(self.of_best(self.pose.rotation)[:, None], self.of_best(self.pose.translation)[:, None])


def place(vertices: Tensor, pose: Pose) -> Tensor:
    """Canonical vertices (B, 1 or H, V, 3) in the world (B, H, V, 3): M R^T + t."""
    return vertices @ pose.rotation.transpose(-1, -2) + pose.translation[..., None, :]
