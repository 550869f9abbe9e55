"""The two translations a trained model is for: images to textured meshes, shapes to textured renders.

The renderer comes as a function of world vertices (B, V, 3) and vertex colours (B, V, 3), so that this room need not
know it.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from genren.geometry.rotations import about, view
from genren.models.model import GenerativeRenderer, Pose, Shape, place

Draw = Callable[[Tensor, Tensor], Tensor]

# Five views around a mesh: degrees of azimuth, and of elevation (method: 6.1).
AZIMUTHS = (15.0, 87.0, 159.0, 231.0, 303.0)
ELEVATION = 36.0


@dataclass(frozen=True)
class Translation:
    """Textured, posed meshes and their renders."""

    vertices: Tensor  # (B, V, 3) canonical frame
    colors: Tensor  # (B, V, 3) in [0, 1]
    rotation: Tensor  # (B, 3, 3)
    translation: Tensor  # (B, 3)
    render: Tensor  # (B, 4, S, S) RGB in [-1, 1] over black, alpha in [0, 1]
    probability: Tensor  # (B,) of the chosen pose hypothesis; 1 where there was none to choose


@torch.no_grad()
def image_to_shape(model: GenerativeRenderer, draw: Draw, images: Tensor, batch_size: int) -> Translation:
    """Most probable mesh, texture and pose of RGBA images (N, 4, S, S), RGB in [-1, 1] over black."""
    parts = []
    for batch in images.split(batch_size):
        inferred = model.infer(batch)
        best = Pose(
            inferred.of_best(inferred.pose.rotation)[:, None], inferred.of_best(inferred.pose.translation)[:, None]
        )
        probability = inferred.of_best(inferred.probabilities)
        parts.append(_drawn(model, draw, inferred.shape, inferred.of_best(inferred.xi_t), best, probability))
    return _joined(parts)


@torch.no_grad()
def shape_to_image(model: GenerativeRenderer, draw: Draw, shape: Shape, batch_size: int) -> Translation:
    """Random textures and poses for shapes, from the model's generators and torch's random state."""
    parts = []
    for start in range(0, len(shape.v), batch_size):
        part = Shape(*(getattr(shape, name)[start : start + batch_size] for name in ("v", "delta", "vertices")))
        xi_t = torch.randn(len(part.v), model.params.dim_xi_t)
        pose = model.generate_pose(torch.randn(len(part.v), model.params.dim_xi_p))
        parts.append(_drawn(model, draw, part, xi_t, pose, torch.ones(len(part.v))))
    return _joined(parts)


@torch.no_grad()
def encode_clouds(model: GenerativeRenderer, points: Tensor, normals: Tensor, batch_size: int) -> Shape:
    """Shapes of oriented clouds (N, P, 3)."""
    parts = [model.encode(p, n) for p, n in zip(points.split(batch_size), normals.split(batch_size), strict=True)]
    return Shape(*(torch.cat([getattr(part, name) for part in parts]) for name in ("v", "delta", "vertices")))


@torch.no_grad()
def five_views(draw: Draw, result: Translation) -> Tensor:
    """The canonical meshes from five sides at the result's translation: (B, 5, 4, S, S)."""
    azimuths = torch.tensor([math.radians(a) for a in AZIMUTHS])
    rotations = view(azimuths, torch.full_like(azimuths, math.radians(ELEVATION)))
    strips = []
    for vertices, colors, translation in zip(result.vertices, result.colors, result.translation, strict=True):
        pose = Pose(rotations[None], translation.expand(1, len(AZIMUTHS), 3))
        strips.append(draw(place(vertices[None, None], pose)[0], colors.expand(len(AZIMUTHS), -1, -1)))
    return torch.stack(strips)


@torch.no_grad()
def pose_hypotheses(model: GenerativeRenderer, images: Tensor, batch_size: int) -> tuple[Tensor, Tensor]:
    """All rotations (N, H, 3, 3) that a model proposes for RGBA images (N, 4, S, S), and their probabilities (N, H)."""
    inferred = [model.infer(batch) for batch in images.split(batch_size)]
    return torch.cat([i.pose.rotation for i in inferred]), torch.cat([i.probabilities for i in inferred])


@torch.no_grad()
def view_inconsistency(model: GenerativeRenderer, draw: Draw, images: Tensor, batch_size: int) -> Tensor:
    """How much the texture of images (N, 4, S, S) changes when it is inferred again from a new view (method: 5.4).

    Each inferred mesh is turned by 45 degrees about its up axis, drawn, and read again; the result (N,) is the mean
    absolute difference of the two texture images, in [0, 1].
    """
    changes = []
    for batch in images.split(batch_size):
        first = model.infer(batch)
        rotation = first.of_best(first.pose.rotation) @ about("y", torch.tensor(math.pi / 4))
        pose = Pose(rotation[:, None], first.of_best(first.pose.translation)[:, None])
        xi_t = first.of_best(first.xi_t)
        turned = _drawn(model, draw, first.shape, xi_t, pose, first.of_best(first.probabilities))
        again = model.infer(turned.render)
        one = model.texture(xi_t, first.shape.vertices).image
        other = model.texture(again.of_best(again.xi_t), again.shape.vertices).image
        changes.append((one - other).abs().mean((1, 2, 3)))
    return torch.cat(changes)


def _drawn(
    model: GenerativeRenderer, draw: Draw, shape: Shape, xi_t: Tensor, pose: Pose, probability: Tensor
) -> Translation:
    colors = model.texture(xi_t, shape.vertices).colors
    render = draw(place(shape.vertices[:, None], pose)[:, 0], colors)
    return Translation(shape.vertices, colors, pose.rotation[:, 0], pose.translation[:, 0], render, probability)


def _joined(parts: list[Translation]) -> Translation:
    names = Translation.__dataclass_fields__
    return Translation(*(torch.cat([getattr(part, name) for part in parts]) for name in names))
