"""Settings of the networks."""

from typing import Annotated, Literal

from pydantic import Field

from genren.params.section import Count, Positive, Section, Vector


class ModelParams(Section):
    """Sizes and variants of the networks (method: 1.1 to 1.6)."""

    img_size: Literal[32, 64]  # input and rendered images, pixels
    texture_size: Literal[32, 64]  # UV texture image, pixels
    subdivisions: Annotated[int, Field(ge=1, le=40)]  # template: every icosahedron edge in this many pieces
    template_radius: Positive
    step_size: Positive  # displacement per unit of the deformation decoder's output
    dim_v: Count  # latent shape
    dim_xi_t: Count  # latent texture
    dim_xi_p: Count  # latent pose noise
    dim_embedding: Count  # image embedding
    hypotheses: Count  # poses per image
    point_width: Count  # first layer of the point encoder; the widest is 16 times that
    deformation_hidden: tuple[Count, ...]
    backbone_width: Count  # first stage of the ResNet-18; the last is 8 times that
    conditioning_hidden: tuple[Count, Count]  # mesh-to-texture conditioning net
    texture_hidden: tuple[Count, Count, Count]  # texture inference: unprojection branch, then the joint layers
    texture_width: Count  # first block of the texture generator
    critic_width: Count  # last block of the image and texture critics
    shape_critic_hidden: tuple[Count, Count]  # mesh branch of the shape critic
    norm: Literal["batch", "group"]  # group: no batch statistics, so an image's answer does not depend on its batch
    dropout: Annotated[float, Field(ge=0, lt=1)]  # shape encoder
    rotation: Literal["3a", "6d"]  # three angles, or the first two columns
    translation_min: Vector
    translation_max: Vector
