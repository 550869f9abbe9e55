"""Settings of the networks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genren.params.section import Count, Positive, Section, Vector


class ModelParams(Section):
    """Sizes and variants of the networks (method: 1.1 to 1.6)."""

    img_size: Literal[32, 64]  # input and rendered images, pixels
    eye: Vector  # where the fixed camera stands, looking at the origin
    # Template and deformation.
    template: str  # sphere, or an OBJ file with texture coordinates: airplane.obj of genren/presets, or a path
    subdivisions: Annotated[int, Field(ge=1, le=40)]  # sphere: every icosahedron edge in this many pieces
    template_radius: Positive  # of the sphere; a file's vertices are scaled by it
    template_turn: float  # degrees about x by which a file's vertices are turned first
    template_subdivided: bool  # every face of a file is split in four
    template_projected: bool  # a file's vertices are first put on the unit sphere, as the original does
    learn_template: bool  # its vertices are parameters
    impulses: Count  # displacements in a row; the meshes between them are regularised too
    step_size: Positive  # displacement per unit of the deformation decoder's output
    deformation_hidden: tuple[Count, ...]
    # Latent sizes.
    dim_v: Count  # latent shape
    dim_xi_t: Count  # latent texture
    dim_xi_p: Count  # latent pose noise
    dim_embedding: Count  # image embedding
    # Shape encoder.
    point_width: Count  # first layer of the point encoder; the widest is 16 times that
    dropout: Annotated[float, Field(ge=0, lt=1)]
    vae: bool  # v is drawn from a Gaussian that the encoder predicts; its prior is then a KL divergence
    # Image inference.
    backbone_width: Count  # first stage of the ResNet-18; the last is 8 times that
    hypotheses: Count  # poses per image
    spread: bool  # hypotheses start apart, around the up axis; the original's start alike
    probabilities: Literal["softmax", "simplex", "allan"]  # logits to probabilities (method: 1.3)
    rotation: Literal["3a", "6d", "quaternion"]  # three angles, the first two columns, or a quaternion
    translation_min: Vector
    translation_max: Vector
    texture_hidden: tuple[Count, Count, Count]  # texture inference: unprojection branch, then the joint layers
    # Unprojection: pixels read at the projected vertices (method: 2.4).
    mirrored: bool  # the camera's x runs left, as in the original's left-handed look-at
    align_corners: bool  # pixel corners at -1 and 1, as the original samples; the renderer's are beyond the centres
    guarded: bool  # projections hold their distance from the camera; the original divides by any depth, or by none
    pixels_gradient: bool  # the read pixels carry gradients
    posed_gradient: bool  # their positions do
    occlusion: bool  # a fifth value per vertex: how far it lies behind the visible surface
    occlusion_gradient: bool
    # Textures.
    texture_size: Literal[32, 64]  # UV texture image, pixels
    texture_width: Count  # first block of the texture generator
    texture_sampling: Literal["vertex", "pixel"]  # colours at the vertices, or a texture that every pixel reads
    seamless: bool  # left and right borders of the texture image are one line
    conditioning_hidden: tuple[Count, Count]  # mesh-to-texture conditioning net
    train_conditioning: bool  # the original never trains it
    # Normalisation.
    norm: Literal["batch", "group"]  # group: no batch statistics, so an image's answer does not depend on its batch
    texture_norm: Literal["batch", "group"]  # the texture generator's; batch: its running statistics serve evaluation
    pose_generator_norm: Literal["norm", "spectral", "spectral+norm"]

    @model_validator(mode="after")
    def _sampled(self) -> "ModelParams":
        if self.template != "sphere" and self.seamless:
            raise ValueError(f"seamless is for the sphere's texture coordinates, template is {self.template!r}")
        return self


class CriticParams(Section):
    """Sizes and variants of the critics (method: 1.6)."""

    width: Count  # last block of the image and texture critics
    # residual, mini: WGAN-GP. multiscale, spectral, patch: least squares with spectral norm.
    image: Literal["residual", "mini", "multiscale", "spectral", "patch"]
    replacement: Annotated[float, Field(ge=0, le=1)]  # chance that a real image is replaced by its re-render
    shape: Literal["joint", "latent"]  # sees (v, M), or v alone
    shape_hidden: tuple[Count, Count]  # mesh branch of the shape critic
    shape_penalty: Literal["code", "input"]  # on the compressed mesh, as the original, or on the mesh itself
    mixed_pairs: bool  # mode 1: real shapes are (inferred v, encoded M), as the original pairs them
    texture: Literal["image", "histogram", "image+histogram"]
    histogram: Literal["rgb", "uv"]  # 10^3 bins of RGB, or 25^2 of YUV's chroma
    xi_t: Literal["swd", "wgan"]  # prior of inferred textures: sliced Wasserstein, or a critic
    xi_t_on: Literal["best", "all"]  # hypotheses it acts on
    pose: Literal["marginal", "joint", "wgan"]  # Sinkhorn on rotations and translations apart, on both, or a critic
    remember_in_mode1: bool  # the pose buffer fills before it is first read
    updates: Count  # of shape, texture and pose critics per generator step, on the same tensors
    shape_updates: Count  # at most so many of them for the shape critic
