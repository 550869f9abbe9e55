"""The model: shapes to textured posed meshes, and images to the same (method: 1.3, 1.4).

It holds the networks and the deterministic maps between them. Rendering and the losses are the callers'.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genren.geometry.camera import Camera, fixed_camera
from genren.geometry.rotations import CODE_SIZES, decode
from genren.geometry.sphere import Template, icosphere
from genren.models.blocks import rescale
from genren.models.image import Backbone, PoseHeads, TextureInference
from genren.models.shape import DeformationDecoder, PoseGenerator, ShapeEncoder
from genren.models.texture import MeshConditioning, TextureGenerator, sample_texture
from genren.params import ModelParams


@dataclass(frozen=True)
class Shape:
    """Canonical shapes."""

    v: Tensor  # (B, dim_v) latent shape
    delta: Tensor  # (B, V, 3) raw displacement
    vertices: Tensor  # (B, V, 3) canonical vertices M


@dataclass(frozen=True)
class Pose:
    """Rotations and translations of H hypotheses."""

    rotation: Tensor  # (B, H, 3, 3)
    translation: Tensor  # (B, H, 3)


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


@dataclass(frozen=True)
class Texture:
    """UV texture images and the colours the template's vertices read from them."""

    image: Tensor  # (B, 3, S, S) in [0, 1]
    colors: Tensor  # (B, V, 3) in [0, 1]


class GenerativeRenderer(nn.Module):
    """All networks of one category's model but the critics."""

    template_vertices: Tensor
    template_faces: Tensor
    template_edges: Tensor
    template_uv: Tensor
    translation_min: Tensor
    translation_max: Tensor

    def __init__(self, params: ModelParams) -> None:
        super().__init__()
        self.params = params
        template = icosphere(params.subdivisions, params.template_radius)
        self.camera: Camera = fixed_camera()
        for name in ("vertices", "faces", "edges", "edge_faces", "uv"):
            self.register_buffer(f"template_{name}", getattr(template, name), persistent=False)
        count, kind = len(template.vertices), params.norm
        code = CODE_SIZES[params.rotation]
        condition = params.conditioning_hidden[-1]
        self.shape_encoder = ShapeEncoder(params.point_width, params.dim_v, kind, params.dropout)
        self.deformation = DeformationDecoder(params.dim_v, params.deformation_hidden, count, kind)
        self.backbone = Backbone(params.backbone_width, params.dim_embedding, kind)
        self.shape_head = nn.Linear(params.dim_embedding, params.dim_v)
        rescale(self.shape_head, 0.01)
        self.pose_heads = PoseHeads(params.dim_embedding, params.hypotheses, params.rotation, kind)
        self.texture_inference = TextureInference(
            count, params.dim_embedding, params.dim_v, params.texture_hidden, params.dim_xi_t, kind
        )
        # Never trained, by method: its output is always detached.
        self.mesh_conditioning = MeshConditioning(count, params.conditioning_hidden, kind).requires_grad_(False)
        self.texture_generator = TextureGenerator(
            params.dim_xi_t + condition, params.texture_width, params.texture_size, kind
        )
        self.pose_generator = PoseGenerator(params.dim_xi_p, code, kind)
        self.register_buffer("translation_min", torch.tensor(params.translation_min), persistent=False)
        self.register_buffer("translation_max", torch.tensor(params.translation_max), persistent=False)

    @property
    def template(self) -> Template:
        """The template on the model's device."""
        names = ("vertices", "faces", "edges", "edge_faces", "uv")
        return Template(**{name: getattr(self, f"template_{name}") for name in names})

    def encode(self, points: Tensor, normals: Tensor) -> Shape:
        """Oriented clouds (B, P, 3) in the canonical frame to shapes."""
        return self.decode(self.shape_encoder(points, normals))

    def decode(self, v: Tensor) -> Shape:
        """Latent shapes (B, dim_v) to shapes: M = V0 + step delta."""
        delta = self.deformation(v)
        return Shape(v, delta, self.template_vertices + self.params.step_size * delta)

    def generate_pose(self, xi_p: Tensor) -> Pose:
        """Noise (B, dim_xi_p) to poses of one hypothesis."""
        return self._pose(self.pose_generator(xi_p))

    def texture(self, xi_t: Tensor, vertices: Tensor) -> Texture:
        """Latent textures (B, dim_xi_t) and canonical vertices (B, V, 3) to textures."""
        condition = self.mesh_conditioning(vertices.detach()).detach()
        image = self.texture_generator(torch.cat([xi_t, condition], dim=1))
        return Texture(image, sample_texture(image, self.template_uv))

    def hypothesis_textures(self, inference: Inference) -> Texture:
        """Textures of all hypotheses, folded into the batch axis: (B H, ...)."""
        hypotheses = inference.xi_t.shape[1]
        vertices = inference.shape.vertices.detach().repeat_interleave(hypotheses, dim=0)
        return self.texture(inference.xi_t.flatten(0, 1), vertices)

    def infer(self, image: Tensor) -> Inference:
        """RGBA images (B, 4, S, S), RGB in [-1, 1] over black, alpha in [0, 1], to shape, poses and latent textures."""
        q = self.backbone(image)
        shape = self.decode(self.shape_head(q))
        raw, logits = self.pose_heads(q)
        pose = self._pose(raw)
        posed = place(shape.vertices[:, None], pose)
        xi_t = self.texture_inference(q, shape.v.detach(), unproject(image, posed, self.camera))
        return Inference(shape, pose, logits.softmax(1), posed, xi_t)

    def _pose(self, raw: Tensor) -> Pose:
        """Raw poses (B, H, code + 3) to rotations and bounded translations."""
        low, high = self.translation_min, self.translation_max
        translation = low + (high - low) * (raw[..., -3:].tanh() + 1) / 2
        return Pose(decode(raw[..., :-3], self.params.rotation), translation)


def place(vertices: Tensor, pose: Pose) -> Tensor:
    """Canonical vertices (B, 1 or H, V, 3) in the world (B, H, V, 3): M R^T + t."""
    return vertices @ pose.rotation.transpose(-1, -2) + pose.translation[..., None, :]


def unproject(image: Tensor, posed: Tensor, camera: Camera) -> Tensor:
    """Pixels (B, H, V, 4) of RGBA images (B, 4, S, S) at the projections of posed vertices (B, H, V, 3).

    Bilinear, zero outside the frame, no visibility test (method: 2.4), with the rasteriser's pixel centres.
    """
    projected = camera.project(camera.to_camera(posed.flatten(1, 2)))
    grid = torch.stack([projected[..., 0], -projected[..., 1]], dim=-1).unflatten(1, posed.shape[1:3])
    return F.grid_sample(image, grid, padding_mode="zeros", align_corners=False).permute(0, 2, 3, 1)
