"""The three forward programs and their loss terms: domain-randomised, graphics, vision (method: 1.4, 3.2 to 3.5).

Each returns the tensors that the critics read and the terms as functions, so that a term of weight 0 costs nothing.
Which gradient stops where is part of the method; every `detach` below is one of its stops.
"""

from dataclasses import dataclass
from functools import cache

import torch
from torch import Tensor

from genren.data.batches import Clouds
from genren.engine import ranks
from genren.losses import distribution, image, pose, shape
from genren.losses.critic import generator_loss
from genren.losses.total import Terms
from genren.models.critics import pose_vector
from genren.models.histogram import color_histogram, entropy
from genren.models.parts import Inference, Pose, Shape, Texture, place
from genren.train.randomise import random_colors, random_pose
from genren.train.terms import (
    Functions,
    Worker,
    coin,
    cycle_terms,
    halves,
    mesh_term,
    pose_confusion,
    same_texture,
    shape_terms,
    texture_distance,
    v_prior,
    xi_t_prior,
)


@dataclass(frozen=True)
class Cycle:
    """What a program computed that the critics and the pictures need."""

    render: Tensor  # (B, 4, S, S); vision: of the best hypothesis
    inference: Inference
    texture: Texture | None = None  # graphics: generated; vision: inferred, best hypothesis
    shape: Shape | None = None  # the encoded shape, where there was one
    pose: Pose | None = None  # the pose that was drawn, where there was one


def autoencoder(w: Worker, clouds: Clouds) -> Terms:
    """Stage 1: clouds to shapes (method: 3.2)."""
    return shape_terms(w, w.model.encode(clouds.points, clouds.normals), clouds)


def randomised(w: Worker, clouds: Clouds) -> tuple[Cycle, Terms]:
    """Shape to image to shape with random pose and texture; the render's gradient reaches the shape."""
    encoded = w.model.encode(clouds.points, clouds.normals)
    true = random_pose(len(clouds.points), w.params.randomised, clouds.points.device)
    colors = random_colors(w.model.template_vertices.detach(), w.colors, len(clouds.points))
    render = w.draw(place(encoded.vertices[:, None], true)[:, 0], colors)
    inferred = w.model.infer(render, w.draw)
    textures = cache(lambda: w.model.hypothesis_textures(inferred))
    terms = shape_terms(w, encoded, clouds) | cycle_terms(w, encoded, true, inferred, clouds)
    return Cycle(render, inferred, shape=encoded, pose=true), terms | {
        "texture_cycle": lambda: texture_distance(colors, textures().colors),
        "pose_confusion": lambda: pose_confusion(w, inferred, textures),
    }


def graphics(w: Worker, clouds: Clouds, buffer: Pose) -> tuple[Cycle, Terms]:
    """Shape to image to shape with generated pose and texture; only colours carry the render's gradient."""
    batch, device = len(clouds.points), clouds.points.device
    xi_t = ranks.draw(torch.randn, batch, w.params.model.dim_xi_t, device=device)
    if any(w.params.weights.graphics[f"pairs_{name}"] > 0 for name in ("v", "xi_t", "texture", "rerender")):
        # Two images of each textured shape, from different sides.
        half = torch.arange(batch // 2, device=device).repeat(2)
        clouds, xi_t = Clouds(clouds.points[half], clouds.normals[half]), xi_t[half]
        batch = len(half)
    encoded = w.model.encode(clouds.points, clouds.normals)
    drawn = w.model.generate_pose(ranks.draw(torch.randn, batch, w.params.model.dim_xi_p, device=device))
    texture = w.model.texture(xi_t, encoded.vertices)
    render = w.draw(place(encoded.vertices.detach()[:, None], drawn.detach())[:, 0], texture)
    inferred = w.model.infer(render, w.draw)
    textures = cache(lambda: w.model.hypothesis_textures(inferred))

    def texture_realism() -> Tensor:
        critics = [w.critics[name] for name in ("texture", "histogram") if name in w.critics]
        return torch.stack([generator_loss(critic, texture.image) for critic in critics]).sum()

    def pose_match() -> Tensor:
        if "pose" in w.critics:
            return generator_loss(w.critics["pose"], pose_vector(drawn))
        match = {"marginal": distribution.pose_match, "joint": distribution.joint_pose_match}[w.params.critics.pose]
        joint = ranks.gather(drawn.rotation[:, 0]), ranks.gather(drawn.translation[:, 0])
        return match(buffer.rotation[:, 0], buffer.translation[:, 0], *joint)

    terms = shape_terms(w, encoded, clouds) | cycle_terms(w, encoded, drawn, inferred, clouds)
    return Cycle(render, inferred, texture, encoded, drawn), terms | _pair_terms(w, render, inferred) | {
        "xi_t_cycle": lambda: (xi_t[:, None] - inferred.xi_t).square().mean(),
        "texture_cycle": lambda: texture_distance(texture.colors, textures().colors),
        "pose_confusion": lambda: pose_confusion(w, inferred, textures),
        "image_adversarial": lambda: generator_loss(w.critics.image, render),
        "texture_realism": texture_realism,
        "pose_match": pose_match,
        "color_entropy": lambda: entropy(color_histogram(texture.image, w.params.critics.histogram)).mean(),
        "color_spread": lambda: texture.colors.std(1).mean(),
    }


def vision(w: Worker, images: Tensor, learned_poses: bool = False) -> tuple[Cycle, Terms]:
    """Image to shape to image: all hypotheses are rendered and compared with the input.

    `learned_poses`: new views are taken from the pose generator (mode 3), else at random.
    """
    inferred = w.model.infer(images, w.draw)
    textures = w.model.hypothesis_textures(inferred)
    renders = w.draw(inferred.posed.flatten(0, 1), textures)
    by_hypothesis = renders.unflatten(0, inferred.probabilities.shape)
    best, best_xi_t = inferred.best_texture(textures), inferred.of_best(inferred.xi_t)

    def perceptual() -> Tensor:
        with torch.no_grad():
            real = w.critics.image.features(images)
        return image.perceptual(real, w.critics.image.features(renders), inferred.probabilities)

    def vgg() -> Tensor:
        assert w.vgg is not None
        return image.feature_distance(w.vgg(images[:, :3]), w.vgg(renders[:, :3]), inferred.probabilities)

    def shape_adversarial() -> Tensor:
        critic = w.critics.shape
        return generator_loss(critic, critic.join(inferred.shape.v, inferred.shape.vertices))

    @cache
    def new_view() -> tuple[Inference, Inference]:
        batch, device = len(images), images.device
        if learned_poses:
            view = w.model.generate_pose(ranks.draw(torch.randn, batch, w.params.model.dim_xi_p, device=device))
        else:
            view = random_pose(batch, w.params.randomised, device)
        seen = w.draw(place(inferred.shape.vertices.detach()[:, None], view.detach())[:, 0], best)
        return inferred, w.model.infer(seen, w.draw)

    cycle = Cycle(inferred.of_best(by_hypothesis), inferred, best)
    return cycle, same_texture(w, "new_view", new_view) | {
        "image_l1": lambda: image.image_l1(images, by_hypothesis, inferred.probabilities),
        "image_perceptual": perceptual,
        "image_ms_ssim": lambda: image.structural(images, by_hypothesis, inferred.probabilities),
        "image_vgg": vgg,
        "shape_adversarial": shape_adversarial,
        "xi_t_prior": lambda: xi_t_prior(w, inferred),
        "hypotheses_xi_t": lambda: pose.hypothesis_match(best_xi_t, inferred.xi_t),
        "hypotheses_translation": lambda: pose.hypothesis_match(
            inferred.of_best(inferred.pose.translation), inferred.pose.translation
        ),
        "rotation_diversity": lambda: pose.rotation_diversity(inferred.pose.rotation, inferred.probabilities),
        "mesh": lambda: mesh_term(w, inferred.shape),
        "delta": lambda: shape.delta_variation(inferred.shape.delta, w.model.template_edges),
        "v_prior": lambda: v_prior(w, inferred.shape),
        "pose_confusion": lambda: pose_confusion(w, inferred, lambda: textures),
    }


def _pair_terms(w: Worker, render: Tensor, inferred: Inference) -> Functions:
    """Two images of one textured shape must be read alike, and one's colours suit the other's view (method: 3.4)."""
    pair = cache(lambda: halves(inferred))

    def rerender() -> Tensor:
        views, (one, other) = render.chunk(2), pair()
        if coin():
            one, other, views = other, one, views[::-1]
        posed = one.of_best(one.posed).detach()
        texture = w.model.texture(other.of_best(other.xi_t), other.shape.vertices)
        return (w.draw(posed, texture) - views[0].detach()).square().mean()

    return same_texture(w, "pairs", pair) | {"pairs_rerender": rerender}
