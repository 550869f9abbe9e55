"""The model: shapes to textured posed meshes, and images to the same (method: 1.3, 1.4).

It holds the networks and the deterministic maps between them. Rendering and the losses are the callers'.
"""

import torch
from torch import Tensor, nn

from genren.geometry.camera import Camera, fixed_camera
from genren.geometry.rotations import CODE_SIZES, decode
from genren.geometry.sphere import Template
from genren.geometry.template import make_template
from genren.models.blocks import rescale
from genren.models.image import Backbone, PoseHeads, TextureInference, probabilities
from genren.models.parts import Draw, Inference, Pose, Shape, Texture, place
from genren.models.shape import DeformationDecoder, PoseGenerator, ShapeEncoder
from genren.models.texture import MeshConditioning, TextureGenerator, sample_texture
from genren.models.unproject import hidden_depth, unproject
from genren.params import ModelParams

TEMPLATE = ("vertices", "faces", "edges", "edge_faces", "uv", "face_uvs")


class GenerativeRenderer(nn.Module):
    """All networks of one category's model but the critics."""

    template_vertices: Tensor
    template_faces: Tensor
    template_edges: Tensor
    template_uv: Tensor
    template_face_uvs: Tensor
    translation_min: Tensor
    translation_max: Tensor

    def __init__(self, params: ModelParams, template: Template | None = None) -> None:
        """Build networks with fresh weights; a checkpoint's `template` comes in the place of the settings'."""
        super().__init__()
        self.params = params
        template = template or make_template(params)
        self.camera: Camera = fixed_camera(params.mirrored, params.eye)
        for name in TEMPLATE:
            self.register_buffer(f"template_{name}", getattr(template, name))
        if params.learn_template:
            del self.template_vertices
            self.template_vertices = nn.Parameter(template.vertices)
        count, kind = len(template.vertices), params.norm
        code = CODE_SIZES[params.rotation]
        condition = params.conditioning_hidden[-1]
        self.shape_encoder = ShapeEncoder(params.point_width, params.dim_v, kind, params.dropout, params.vae)
        self.deformation = DeformationDecoder(params.dim_v, params.deformation_hidden, params.impulses, count, kind)
        self.backbone = Backbone(params.backbone_width, params.dim_embedding, kind)
        self.shape_head = nn.Linear(params.dim_embedding, params.dim_v)
        rescale(self.shape_head, 0.01)
        self.pose_heads = PoseHeads(params.dim_embedding, params.hypotheses, params.rotation, kind, params.spread)
        values = (5 if params.occlusion else 4) * count
        self.texture_inference = TextureInference(
            values, params.dim_embedding, params.dim_v, params.texture_hidden, params.dim_xi_t, kind
        )
        self.mesh_conditioning = MeshConditioning(count, params.conditioning_hidden, kind)
        self.mesh_conditioning.requires_grad_(params.train_conditioning)
        self.texture_generator = TextureGenerator(
            params.dim_xi_t + condition,
            params.texture_width,
            params.texture_size,
            params.texture_norm,
            params.seamless,
        )
        self.pose_generator = PoseGenerator(params.dim_xi_p, code, kind, params.pose_generator_norm)
        self.register_buffer("translation_min", torch.tensor(params.translation_min), persistent=False)
        self.register_buffer("translation_max", torch.tensor(params.translation_max), persistent=False)

    @property
    def template(self) -> Template:
        """The template on the model's device."""
        return Template(**{name: getattr(self, f"template_{name}") for name in TEMPLATE})

    def encode(self, points: Tensor, normals: Tensor) -> Shape:
        """Oriented clouds (B, P, 3) in the canonical frame to shapes."""
        v, posterior = self.shape_encoder(points, normals)
        return self.decode(v, posterior)

    def decode(self, v: Tensor, posterior: tuple[Tensor, Tensor] | None = None) -> Shape:
        """Latent shapes (B, dim_v) to shapes: M_k = M_{k-1} + step delta_k from the template on."""
        delta = self.deformation(v)
        path = self.template_vertices + self.params.step_size * delta.cumsum(1)
        return Shape(v, delta, path[:, -1], path[:, :-1], posterior)

    def generate_pose(self, xi_p: Tensor) -> Pose:
        """Noise (B, dim_xi_p) to poses of one hypothesis."""
        return self._pose(self.pose_generator(xi_p))

    def texture(self, xi_t: Tensor, vertices: Tensor) -> Texture:
        """Latent textures (B, dim_xi_t) and canonical vertices (B, V, 3) to textures."""
        condition = self.mesh_conditioning(vertices.detach())
        if not self.params.train_conditioning:
            condition = condition.detach()
        image = self.texture_generator(torch.cat([xi_t, condition], dim=1))
        return Texture(image, sample_texture(image, self.template_uv, self.params.seamless))

    def hypothesis_textures(self, inference: Inference) -> Texture:
        """Textures of all hypotheses, folded into the batch axis: (B H, ...)."""
        hypotheses = inference.xi_t.shape[1]
        vertices = inference.shape.vertices.detach().repeat_interleave(hypotheses, dim=0)
        return self.texture(inference.xi_t.flatten(0, 1), vertices)

    def infer(self, image: Tensor, draw: Draw | None = None) -> Inference:
        """RGBA images (B, 4, S, S), RGB in [-1, 1] over black, alpha in [0, 1], to shape, poses and latent textures.

        `draw` renders depth where texture inference is told what is hidden (`occlusion`).
        """
        p = self.params
        q = self.backbone(image)
        shape = self.decode(self.shape_head(q))
        raw, logits = self.pose_heads(q)
        pose = self._pose(raw)
        posed = place(shape.vertices[:, None], pose)
        seen = posed if p.posed_gradient else posed.detach()
        values = unproject(image, seen, self.camera, p.align_corners, p.guarded)
        if not p.pixels_gradient:
            values = values.detach()
        if p.occlusion:
            if draw is None:
                raise ValueError("texture inference with occlusion needs a function that draws, got None")
            hidden = hidden_depth(seen, self.camera, draw, p.align_corners, p.guarded)
            values = torch.cat([values, hidden if p.occlusion_gradient else hidden.detach()], dim=-1)
        xi_t = self.texture_inference(q, shape.v.detach(), values)
        return Inference(shape, pose, probabilities(logits, p.probabilities), posed, xi_t)

    def _pose(self, raw: Tensor) -> Pose:
        """Raw poses (B, H, code + 3) to rotations and bounded translations."""
        low, high = self.translation_min, self.translation_max
        translation = low + (high - low) * (raw[..., -3:].tanh() + 1) / 2
        return Pose(decode(raw[..., :-3], self.params.rotation), translation)
