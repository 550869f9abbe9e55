"""The two translations a trained model is for: images to textured meshes, shapes to textured renders.

The renderer comes as a function of world vertices and their textures, so that this room need not know it; `drawer`
makes that function of a renderer.
"""

import math
from dataclasses import dataclass, fields
from typing import Protocol

import torch
from torch import Tensor

from genren.geometry.rotations import about, view
from genren.models.model import GenerativeRenderer
from genren.models.parts import Draw, Pose, Shape, Texture, place
from genren.models.texture import unwrapped, wrap

# Five views around a mesh: degrees of azimuth, and of elevation (method: 6.1).
AZIMUTHS = (15.0, 87.0, 159.0, 231.0, 303.0)
ELEVATION = 36.0


@dataclass(frozen=True)
class Translation:
    """Textured, posed meshes and their renders."""

    vertices: Tensor  # (B, V, 3) canonical frame
    texture: Texture  # image (B, 3, S, S) and colours at the vertices (B, V, 3), in [0, 1]
    rotation: Tensor  # (B, 3, 3)
    translation: Tensor  # (B, 3)
    render: Tensor  # (B, 4, S, S) RGB in [-1, 1] over black, alpha in [0, 1]
    probability: Tensor  # (B,) of the chosen pose hypothesis; 1 where there was none to choose

    @property
    def colors(self) -> Tensor:
        """Colours (B, V, 3) in [0, 1] at the vertices."""
        return self.texture.colors

    @property
    def pose(self) -> Pose:
        """The poses as one hypothesis: (B, 1, ...)."""
        return Pose(self.rotation[:, None], self.translation[:, None])

    def __getitem__(self, rows: Tensor | slice) -> "Translation":
        """Some of the results."""
        return Translation(*(getattr(self, field.name)[rows] for field in fields(self)))


class MeshRenderer(Protocol):
    """What draws meshes: genren.render.Renderer."""

    def __call__(self, vertices: Tensor, colors: Tensor) -> Tensor:
        """Draw world vertices (B, V, 3) with colours at them (B, V, 3): (B, 4, S, S)."""

    def textured(self, vertices: Tensor, texture_maps: Tensor, face_uvs: Tensor) -> Tensor:
        """Draw world vertices with texture maps (B, 3, h, w) at the corners' coordinates (F, 3, 2), v up."""


def drawer(model: GenerativeRenderer, renderer: MeshRenderer) -> Draw:
    """The renderer as a function of vertices and textures: by colours at the vertices, or pixel by pixel."""
    if model.params.texture_sampling == "vertex":
        return lambda vertices, texture: renderer(vertices, texture if isinstance(texture, Tensor) else texture.colors)
    # The map goes on at its other side, far enough for the faces on the seam.
    size, uvs = model.params.texture_size, model.template_face_uvs
    margin = math.ceil((uvs[..., 0].abs().max().item() - 1) / 2 * size) + 1
    u, w = unwrapped(uvs, size, margin).unbind(-1)
    face_uvs = torch.stack([(u + 1) / 2, (1 - w) / 2], dim=-1)

    def draw(vertices: Tensor, texture: Texture | Tensor) -> Tensor:
        if isinstance(texture, Tensor):
            return renderer(vertices, texture)
        return renderer.textured(vertices, wrap(texture.image, margin), face_uvs)

    return draw


@torch.no_grad()
def image_to_shape(model: GenerativeRenderer, draw: Draw, images: Tensor, batch_size: int) -> Translation:
    """Most probable mesh, texture and pose of RGBA images (N, 4, S, S), RGB in [-1, 1] over black."""
    parts = []
    for batch in images.split(batch_size):
        inferred = model.infer(batch, draw)
        probability = inferred.of_best(inferred.probabilities)
        parts.append(
            _drawn(model, draw, inferred.shape, inferred.of_best(inferred.xi_t), inferred.best_pose, probability)
        )
    return _joined(parts)


@torch.no_grad()
def shape_to_image(model: GenerativeRenderer, draw: Draw, shape: Shape, batch_size: int) -> Translation:
    """Random textures and poses for shapes, from the model's generators and torch's random state."""
    parts = []
    for start in range(0, len(shape.v), batch_size):
        part = shape[start : start + batch_size]
        count, device = len(part.v), part.v.device
        xi_t = torch.randn(count, model.params.dim_xi_t, device=device)
        pose = model.generate_pose(torch.randn(count, model.params.dim_xi_p, device=device))
        parts.append(_drawn(model, draw, part, xi_t, pose, torch.ones(count, device=device)))
    return _joined(parts)


@torch.no_grad()
def encode_clouds(model: GenerativeRenderer, points: Tensor, normals: Tensor, batch_size: int) -> Shape:
    """Shapes of oriented clouds (N, P, 3)."""
    parts = [model.encode(p, n) for p, n in zip(points.split(batch_size), normals.split(batch_size), strict=True)]
    v, delta, vertices, between = (
        torch.cat([getattr(part, name) for part in parts]) for name in ("v", "delta", "vertices", "between")
    )
    return Shape(v, delta, vertices, between)


@torch.no_grad()
def five_views(draw: Draw, result: Translation) -> Tensor:
    """The canonical meshes from five sides at the result's translation: (B, 5, 4, S, S)."""
    azimuths = torch.tensor([math.radians(a) for a in AZIMUTHS], device=result.rotation.device)
    rotations = view(azimuths, torch.full_like(azimuths, math.radians(ELEVATION)))
    views = len(AZIMUTHS)
    strips = []
    for i in range(len(result.vertices)):
        pose = Pose(rotations[None], result.translation[i].expand(1, views, 3))
        strips.append(draw(place(result.vertices[i][None, None], pose)[0], result.texture[[i] * views]))
    return torch.stack(strips)


@torch.no_grad()
def pose_hypotheses(model: GenerativeRenderer, draw: Draw, images: Tensor, batch_size: int) -> tuple[Tensor, Tensor]:
    """All rotations (N, H, 3, 3) that a model proposes for RGBA images (N, 4, S, S), and their probabilities (N, H)."""
    inferred = [model.infer(batch, draw) for batch in images.split(batch_size)]
    return torch.cat([i.pose.rotation for i in inferred]), torch.cat([i.probabilities for i in inferred])


@torch.no_grad()
def view_inconsistency(model: GenerativeRenderer, draw: Draw, images: Tensor, batch_size: int) -> Tensor:
    """How much the texture of images (N, 4, S, S) changes when it is inferred again from a new view (method: 5.4).

    Each inferred mesh is turned by 45 degrees about its up axis, drawn, and read again; the result (N,) is the mean
    absolute difference of the two texture images, in [0, 1].
    """
    changes = []
    for batch in images.split(batch_size):
        first = model.infer(batch, draw)
        rotation = first.of_best(first.pose.rotation) @ about("y", torch.tensor(math.pi / 4))
        pose = Pose(rotation[:, None], first.of_best(first.pose.translation)[:, None])
        xi_t = first.of_best(first.xi_t)
        turned = _drawn(model, draw, first.shape, xi_t, pose, first.of_best(first.probabilities))
        again = model.infer(turned.render, draw)
        one = model.texture(xi_t, first.shape.vertices).image
        other = model.texture(again.of_best(again.xi_t), again.shape.vertices).image
        changes.append((one - other).abs().mean((1, 2, 3)))
    return torch.cat(changes)


def _drawn(
    model: GenerativeRenderer, draw: Draw, shape: Shape, xi_t: Tensor, pose: Pose, probability: Tensor
) -> Translation:
    texture = model.texture(xi_t, shape.vertices)
    render = draw(place(shape.vertices[:, None], pose)[:, 0], texture)
    return Translation(shape.vertices, texture, pose.rotation[:, 0], pose.translation[:, 0], render, probability)


def _joined(parts: list[Translation]) -> Translation:
    textures = [part.texture for part in parts]
    texture = Texture(torch.cat([t.image for t in textures]), torch.cat([t.colors for t in textures]))
    others = {
        field.name: torch.cat([getattr(part, field.name) for part in parts])
        for field in fields(Translation)
        if field.name != "texture"
    }
    return Translation(texture=texture, **others)
