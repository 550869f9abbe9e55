"""Updates of every critic that learns at this stage, on the generator step's own tensors (method: 3.6, 4.4)."""

from collections.abc import Callable

import torch
from torch import Tensor

from genren.engine import ranks
from genren.geometry.rotations import geodesic
from genren.losses.critic import critic_loss
from genren.models.critics import pose_vector
from genren.models.parts import Pose
from genren.params import OptimParams
from genren.train.programs import Cycle
from genren.train.schedule import Stage
from genren.train.terms import Worker


def critic_optimizer(w: Worker, optim: OptimParams) -> torch.optim.Optimizer:
    """Adam with a group for each critic."""
    groups = []
    for name, critic in w.critics.items():
        decay = optim.weight_decay if name in ("rotation", "pose") else optim.critic_weight_decay
        rate = getattr(optim.critic_lrs, name)
        groups.append({"params": list(critic.parameters()), "lr": rate, "weight_decay": decay})
    return torch.optim.Adam(groups, betas=(optim.beta1, optim.beta2), fused=True)


def critic_losses(
    w: Worker, stage: Stage, images: Tensor, graphics: Cycle, vision: Cycle, update: int = 0
) -> dict[str, Tensor]:
    """Loss of each critic that learns; `graphics` is the domain-randomised cycle in mode 1.

    `update` counts updates on the same tensors from 0; after the first only shape, texture and pose critics go on.
    """
    return {name: loss() for name, loss in _losses(w, stage, images, graphics, vision, update).items()}


def _losses(
    w: Worker, stage: Stage, images: Tensor, graphics: Cycle, vision: Cycle, update: int
) -> dict[str, Callable[[], Tensor]]:
    inferred, p = vision.inference, w.params.critics
    assert vision.texture is not None
    texture = vision.texture.image.detach()
    critics: dict[str, Callable[[], Tensor]] = {}

    def shape() -> Tensor:
        critic, real = w.critics.shape, graphics.inference.shape
        # Real shapes went through the same image inference as fake ones, so that the critic cannot tell the nets apart.
        vertices = real.vertices
        if stage.name == "mode1" and p.mixed_pairs:
            assert graphics.shape is not None
            vertices = graphics.shape.vertices
        fake = inferred.shape
        joints = [critic.join(v.detach(), m.detach()) for v, m in ((real.v, vertices), (fake.v, fake.vertices))]
        return critic_loss(critic, *joints)

    def image() -> Tensor:
        # Half of the real images are re-renders, so that the critic does not merely detect the renderer's look.
        swap = ranks.draw(torch.rand, len(images), 1, 1, 1, device=images.device) < p.replacement
        real = torch.where(swap, vision.render.detach(), images)[: len(graphics.render)]
        return critic_loss(w.critics.image, real, graphics.render.detach())

    def of_texture(name: str) -> Callable[[], Tensor]:
        assert graphics.texture is not None
        fake = graphics.texture.image.detach()
        return lambda: critic_loss(w.critics[name], texture[: len(fake)], fake)

    def xi_t() -> Tensor:
        fake = inferred.of_best(inferred.xi_t) if p.xi_t_on == "best" else inferred.xi_t.flatten(0, 1)
        return critic_loss(w.critics["xi_t"], ranks.draw(torch.randn, *fake.shape, device=fake.device), fake.detach())

    def pose() -> Tensor:
        assert graphics.pose is not None
        fake = pose_vector(graphics.pose).detach()
        return critic_loss(w.critics["pose"], pose_vector(inferred.best_pose).detach()[: len(fake)], fake)

    def rotation() -> Tensor:
        return geodesic(w.critics["rotation"](texture), inferred.best_pose.rotation[:, 0].detach()).mean()

    if update < p.shape_updates:
        critics["shape"] = shape
    if update == 0:
        critics["rotation"] = rotation
        if "xi_t" in w.critics:
            critics["xi_t"] = xi_t
    if stage.critics:
        if update == 0:
            critics["image"] = image
        critics |= {name: of_texture(name) for name in ("texture", "histogram") if name in w.critics}
        if "pose" in w.critics:
            critics["pose"] = pose
    return critics


def remember(buffer: Pose, vision: Cycle, joint: bool = False) -> None:
    """Overwrite random slots of the pose buffer: `joint`, or rotations and translations each in slots of their own."""
    new = vision.inference.best_pose.detach()
    slots = None
    for stored, values in (
        (buffer.rotation, ranks.gather(new.rotation)),
        (buffer.translation, ranks.gather(new.translation)),
    ):
        if slots is None or not joint:
            slots = torch.randperm(len(stored), device=stored.device)[: len(values)]
        stored[slots] = values[: len(slots)]
