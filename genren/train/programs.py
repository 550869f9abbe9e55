"""The three forward programs and their loss terms: domain-randomised, graphics, vision (method: 1.4, 3.2 to 3.5).

Each returns the tensors that the critics read and the terms as functions, so that a term of weight 0 costs nothing.
Which gradient stops where is part of the method; every `detach` below is one of its stops.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from math import radians

import torch
from torch import Tensor

from genren.data.batches import Clouds
from genren.geometry.rotations import geodesic, view
from genren.losses import distribution, image, pose, shape
from genren.losses.total import Terms
from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer, Inference, Pose, Shape, Texture, place
from genren.params import RandomisedParams, TrainParams
from genren.render import Renderer


@dataclass
class Worker:
    """What every program uses: networks, renderer, data-dependent constants, settings."""

    model: GenerativeRenderer
    critics: Critics
    renderer: Renderer
    colors: Tensor  # (N, 3) pool of foreground colours
    params: TrainParams


@dataclass(frozen=True)
class Cycle:
    """What a program computed that the critics and the pictures need."""

    render: Tensor  # (B, 4, S, S); vision: of the best hypothesis
    inference: Inference
    texture: Texture | None = None  # graphics: generated; vision: inferred, best hypothesis
    shape: Shape | None = None  # the encoded shape, where there was one


def autoencoder(w: Worker, clouds: Clouds) -> Terms:
    """Stage 1: clouds to shapes (method: 3.2)."""
    return _shape_terms(w, w.model.encode(clouds.points, clouds.normals), clouds)


def randomised(w: Worker, clouds: Clouds) -> tuple[Cycle, Terms]:
    """Shape to image to shape with random pose and texture; the render's gradient reaches the shape."""
    encoded = w.model.encode(clouds.points, clouds.normals)
    true = random_pose(len(clouds.points), w.params.randomised)
    colors = random_colors(w.model.template_vertices, w.colors, len(clouds.points))
    render = w.renderer(place(encoded.vertices[:, None], true)[:, 0], colors)
    inferred = w.model.infer(render)
    terms = _shape_terms(w, encoded, clouds) | _cycle_terms(encoded, true, inferred)
    return Cycle(render, inferred, shape=encoded), terms | {
        "texture_cycle": lambda: _texture_distance(colors, w.model.hypothesis_textures(inferred).colors)
    }


def graphics(w: Worker, clouds: Clouds, buffer: Pose) -> tuple[Cycle, Terms]:
    """Shape to image to shape with generated pose and texture; only colours carry the render's gradient."""
    encoded = w.model.encode(clouds.points, clouds.normals)
    batch, device = len(clouds.points), clouds.points.device
    drawn = w.model.generate_pose(torch.randn(batch, w.params.model.dim_xi_p, device=device))
    xi_t = torch.randn(batch, w.params.model.dim_xi_t, device=device)
    texture = w.model.texture(xi_t, encoded.vertices)
    posed = place(encoded.vertices.detach()[:, None], Pose(drawn.rotation.detach(), drawn.translation.detach()))
    render = w.renderer(posed[:, 0], texture.colors)
    inferred = w.model.infer(render)
    cycle = Cycle(render, inferred, texture, encoded)
    return cycle, _shape_terms(w, encoded, clouds) | _cycle_terms(encoded, drawn, inferred) | {
        "xi_t_cycle": lambda: (xi_t[:, None] - inferred.xi_t).square().mean(),
        "texture_cycle": lambda: _texture_distance(texture.colors, w.model.hypothesis_textures(inferred).colors),
        "image_adversarial": lambda: -w.critics.image(render).mean(),
        "texture_realism": lambda: -w.critics.texture(texture.image).mean(),
        "pose_match": lambda: distribution.pose_match(
            buffer.rotation[:, 0], buffer.translation[:, 0], drawn.rotation[:, 0], drawn.translation[:, 0]
        ),
    }


def vision(w: Worker, images: Tensor) -> tuple[Cycle, Terms]:
    """Image to shape to image: all hypotheses are rendered and compared with the input."""
    inferred = w.model.infer(images)
    textures = w.model.hypothesis_textures(inferred)
    renders = w.renderer(inferred.posed.flatten(0, 1), textures.colors)
    by_hypothesis = renders.unflatten(0, inferred.probabilities.shape)
    best_image = inferred.of_best(textures.image.unflatten(0, inferred.probabilities.shape))
    best = Texture(best_image, inferred.of_best(textures.colors.unflatten(0, inferred.probabilities.shape)))
    best_rotation, best_xi_t = inferred.of_best(inferred.pose.rotation), inferred.of_best(inferred.xi_t)

    def perceptual() -> Tensor:
        with torch.no_grad():
            real = w.critics.image.features(images)
        return image.perceptual(real, w.critics.image.features(renders), inferred.probabilities)

    def shape_adversarial() -> Tensor:
        critic = w.critics.shape
        return -critic(critic.join(inferred.shape.v, inferred.shape.vertices)).mean()

    cycle = Cycle(inferred.of_best(by_hypothesis), inferred, best)
    return cycle, {
        "image_l1": lambda: image.image_l1(images, by_hypothesis, inferred.probabilities),
        "image_perceptual": perceptual,
        "shape_adversarial": shape_adversarial,
        "xi_t_prior": lambda: distribution.sliced_wasserstein(best_xi_t, w.params.projections),
        "hypotheses_xi_t": lambda: pose.hypothesis_match(best_xi_t, inferred.xi_t),
        "hypotheses_translation": lambda: pose.hypothesis_match(
            inferred.of_best(inferred.pose.translation), inferred.pose.translation
        ),
        "rotation_diversity": lambda: pose.rotation_diversity(inferred.pose.rotation, inferred.probabilities),
        "mesh": lambda: shape.mesh_smoothness(inferred.shape.vertices, w.model.template),
        "delta": lambda: shape.delta_variation(inferred.shape.delta, w.model.template_edges),
        "v_prior": lambda: distribution.sliced_wasserstein(inferred.shape.v, w.params.projections),
        "pose_confusion": lambda: -geodesic(w.critics.rotation(best.image), best_rotation.detach()).mean(),
    }


def random_pose(batch: int, ranges: RandomisedParams) -> Pose:
    """Poses of the domain-randomised cycle: R = Rx(elevation) Ry(azimuth), uniform in angles and translation."""
    elevation, azimuth = (
        torch.empty(batch).uniform_(radians(low), radians(high)) for low, high in (ranges.elevation, ranges.azimuth)
    )
    low, high = torch.tensor(ranges.translation_min), torch.tensor(ranges.translation_max)
    return Pose(view(azimuth, elevation)[:, None], (low + (high - low) * torch.rand(batch, 3))[:, None])


def random_colors(template: Tensor, pool: Tensor, batch: int) -> Tensor:
    """Two-colour vertex textures (B, V, 3): a random plane through a template vertex parts them (method: 1.4)."""
    chosen = (
        pool[torch.randperm(len(pool))[: 2 * batch]]
        if len(pool) >= 2 * batch
        else pool[torch.randint(len(pool), (2 * batch,))]
    )
    base, other = chosen[:batch, None], chosen[batch:, None]
    through = template[torch.randint(len(template), (batch,))]
    normal = torch.nn.functional.normalize(torch.randn(batch, 3), dim=1)
    side = ((template[None] - through[:, None]) * normal[:, None]).sum(-1, keepdim=True) > 0
    colors = torch.where(side, other, base)
    return (colors + 0.01 * torch.randn_like(colors)).clamp(0.001, 0.999)


def _shape_terms(w: Worker, encoded: Shape, clouds: Clouds) -> dict[str, Callable[[], Tensor]]:
    """Terms on an encoded shape (method: 3.2)."""

    @cache
    def distances() -> tuple[Tensor, Tensor]:
        # Chamfer and normals share one search for neighbours.
        return shape.chamfer_and_normals(
            encoded.vertices, w.model.template_faces, clouds.points, clouds.normals, w.params.points
        )

    return {
        "chamfer": lambda: distances()[0],
        "normals": lambda: distances()[1],
        "mesh": lambda: shape.mesh_smoothness(encoded.vertices, w.model.template),
        "delta": lambda: shape.delta_variation(encoded.delta, w.model.template_edges),
        "v_prior": lambda: distribution.sliced_wasserstein(encoded.v, w.params.projections),
    }


def _cycle_terms(encoded: Shape, true: Pose, inferred: Inference) -> dict[str, Callable[[], Tensor]]:
    """Terms between what was rendered and what was read off the render (method: 3.3)."""
    return {
        "vertices_cycle": lambda: (encoded.vertices.detach() - inferred.shape.vertices).square().mean(),
        "v_cycle": lambda: (encoded.v.detach() - inferred.shape.v).abs().mean(),
        "rotation_cycle": lambda: pose.rotation_cycle(
            true.rotation[:, 0], inferred.pose.rotation, inferred.probabilities
        ),
        "translation_cycle": lambda: (true.translation.detach() - inferred.pose.translation).square().mean(),
        "rotation_diversity": lambda: pose.rotation_diversity(inferred.pose.rotation, inferred.probabilities),
    }


def _texture_distance(colors: Tensor, decoded: Tensor) -> Tensor:
    """L_tex: colours (B, V, 3) against those decoded for every hypothesis (B H, V, 3)."""
    return (colors.detach()[:, None] - decoded.unflatten(0, (len(colors), -1))).abs().mean()
