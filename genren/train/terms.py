"""Loss terms that several programs share, as functions of what they computed (method: 3)."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property

import torch
from torch import Tensor

from genren.data.batches import Clouds
from genren.engine import ranks
from genren.geometry.rotations import geodesic
from genren.losses import distribution, pose, shape
from genren.losses.critic import generator_loss
from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer
from genren.models.parts import Draw, Inference, Pose, Shape, Texture
from genren.models.translate import drawer
from genren.models.vgg import VGG16
from genren.params import TrainParams
from genren.render import Renderer

Functions = dict[str, Callable[[], Tensor]]


@dataclass
class Worker:
    """What every program uses: networks, renderer, data-dependent constants, settings."""

    model: GenerativeRenderer
    critics: Critics
    renderer: Renderer
    colors: Tensor  # (N, 3) pool of foreground colours
    params: TrainParams
    vgg: VGG16 | None = None  # where the term image_vgg has a weight

    @cached_property
    def draw(self) -> Draw:
        """The renderer as a function of vertices and textures."""
        return drawer(self.model, self.renderer)


def shape_terms(w: Worker, encoded: Shape, clouds: Clouds) -> Functions:
    """Terms on encoded shapes (method: 3.2)."""
    distances = _distances(w, encoded.vertices, clouds)
    return {
        "chamfer": lambda: distances()[0],
        "normals": lambda: distances()[1],
        "mesh": lambda: mesh_term(w, encoded),
        "delta": lambda: shape.delta_variation(encoded.delta, w.model.template_edges),
        "v_prior": lambda: v_prior(w, encoded),
    }


def cycle_terms(w: Worker, encoded: Shape, true: Pose, inferred: Inference, clouds: Clouds) -> Functions:
    """Terms between what was rendered and what was read off the render (method: 3.3)."""
    again = _distances(w, inferred.shape.vertices, clouds)
    return {
        "vertices_cycle": lambda: (encoded.vertices.detach() - inferred.shape.vertices).square().mean(),
        "v_cycle": lambda: (encoded.v.detach() - inferred.shape.v).abs().mean(),
        "rotation_cycle": lambda: pose.rotation_cycle(
            true.rotation[:, 0], inferred.pose.rotation, inferred.probabilities
        ),
        "translation_cycle": lambda: (true.translation.detach() - inferred.pose.translation).square().mean(),
        "rotation_diversity": lambda: pose.rotation_diversity(inferred.pose.rotation, inferred.probabilities),
        "chamfer_cycle": lambda: again()[0],
        "normals_cycle": lambda: again()[1],
    }


def mesh_term(w: Worker, drawn: Shape) -> Tensor:
    """L_mesh of M, and of the meshes between the template and M where there are several impulses."""
    smoothness = shape.mesh_smoothness(drawn.vertices, w.model.template, w.params.mesh_terms)
    if drawn.between.shape[1]:
        between = drawn.between.flatten(0, 1)
        smoothness = smoothness + shape.mesh_smoothness(between, w.model.template, w.params.mesh_terms)
    return smoothness


def v_prior(w: Worker, drawn: Shape) -> Tensor:
    """Distance of latent shapes from N(0, I): of the Gaussian they were drawn from, or of the batch."""
    if drawn.posterior is not None:
        return distribution.kl_to_normal(*drawn.posterior)
    return distribution.sliced_wasserstein(drawn.v, w.params.projections)


def xi_t_prior(w: Worker, inferred: Inference) -> Tensor:
    """Distance of inferred textures from N(0, I), of the best hypothesis or of all."""
    xi_t = inferred.of_best(inferred.xi_t) if w.params.critics.xi_t_on == "best" else inferred.xi_t.flatten(0, 1)
    if "xi_t" in w.critics:
        return generator_loss(w.critics["xi_t"], xi_t)
    return distribution.sliced_wasserstein(xi_t, w.params.xi_t_projections)


def texture_distance(colors: Tensor, decoded: Tensor) -> Tensor:
    """L_tex: colours (B, V, 3) against those decoded for every hypothesis (B H, V, 3)."""
    return (colors.detach()[:, None] - decoded.unflatten(0, (len(colors), -1))).abs().mean()


def pose_confusion(w: Worker, inferred: Inference, textures: Callable[[], Texture]) -> Tensor:
    """Minus the error of the rotation predictor: the texture must not tell where it was seen from."""
    image = inferred.best_texture(textures()).image
    return -geodesic(w.critics["rotation"](image), inferred.best_pose.rotation[:, 0].detach()).mean()


def same_texture(w: Worker, prefix: str, pair: Callable[[], tuple[Inference, Inference]]) -> Functions:
    """What two images of one textured shape must agree in: v, xi_T and the decoded texture (method: 3.4, 3.5)."""

    def v() -> Tensor:
        one, other = pair()
        return (one.shape.v - other.shape.v).abs().mean()

    def xi_t() -> Tensor:
        one, other = (inferred.of_best(inferred.xi_t) for inferred in pair())
        return (one - other).square().mean()

    def texture() -> Tensor:
        one, other = (w.model.texture(i.of_best(i.xi_t), i.shape.vertices).image for i in pair())
        return (one - other).square().mean()

    return {f"{prefix}_v": v, f"{prefix}_xi_t": xi_t, f"{prefix}_texture": texture}


def _distances(w: Worker, vertices: Tensor, clouds: Clouds) -> Callable[[], tuple[Tensor, Tensor]]:
    """Chamfer and normals, which share one search for neighbours."""
    return cache(
        lambda: shape.chamfer_and_normals(
            vertices,
            w.model.template_faces,
            clouds.points,
            clouds.normals,
            w.params.surface_samples,
            w.params.area_floor,
        )
    )


@torch.no_grad()
def pose_health(inferred: Inference) -> dict[str, Tensor]:
    """What tells collapsed poses: share of the most used hypothesis, its mean probability, length of the mean front.

    The last is 1 where all images are thought to be seen from one side, and near 0 where from all around.
    """
    best, p = ranks.gather(inferred.best), ranks.gather(inferred.probabilities)
    chosen = best[:, None] == torch.arange(p.shape[1], device=p.device)
    front = ranks.gather(inferred.best_pose.rotation[:, 0, :, 2])
    return {
        "poses/most_used": chosen.float().mean(0).amax(),
        "poses/confidence": p.amax(1).mean(),
        "poses/concentration": front.mean(0).norm(),
    }


def halves(inferred: Inference) -> tuple[Inference, Inference]:
    """The inferences of a batch's first and second half."""
    middle = len(inferred.xi_t) // 2
    parts = []
    for rows in (slice(None, middle), slice(middle, None)):
        pose = Pose(inferred.pose.rotation[rows], inferred.pose.translation[rows])
        parts.append(
            Inference(
                inferred.shape[rows], pose, inferred.probabilities[rows], inferred.posed[rows], inferred.xi_t[rows]
            )
        )
    return parts[0], parts[1]


def coin() -> bool:
    """Heads or tails, from torch's random state."""
    return bool(torch.rand(()) < 0.5)
