"""One update of every critic that learns at this stage, on the generator step's own tensors (method: 3.6, 4.4)."""

import torch
from torch import Tensor

from genren.geometry.rotations import geodesic
from genren.losses.critic import wasserstein
from genren.models.model import Pose
from genren.params import OptimParams
from genren.train.programs import Cycle, Worker
from genren.train.schedule import Stage


def critic_optimizer(w: Worker, optim: OptimParams) -> torch.optim.Optimizer:
    """Adam with a group for each critic."""
    rates = {"rotation": (optim.rotation_critic_lr, optim.weight_decay)}
    groups = []
    for name, critic in w.critics.named_children():
        rate, decay = rates.get(name, (optim.critic_lr, optim.critic_weight_decay))
        groups.append({"params": list(critic.parameters()), "lr": rate, "weight_decay": decay})
    return torch.optim.Adam(groups, betas=(optim.beta1, optim.beta2))


def critic_losses(w: Worker, stage: Stage, images: Tensor, graphics: Cycle, vision: Cycle) -> dict[str, Tensor]:
    """Loss of each critic that learns; `graphics` is the domain-randomised cycle in mode 1."""
    shapes, inferred = graphics.inference.shape, vision.inference
    assert vision.texture is not None
    texture = vision.texture.image.detach()
    # Real shapes went through the same image inference as fake ones, so that the critic cannot tell the nets apart.
    critic = w.critics.shape
    joint_real = critic.join(shapes.v.detach(), shapes.vertices.detach())
    joint_fake = critic.join(inferred.shape.v.detach(), inferred.shape.vertices.detach())
    rotation = inferred.of_best(inferred.pose.rotation).detach()
    losses = {
        "shape": wasserstein(critic, joint_real, joint_fake),
        "rotation": geodesic(w.critics.rotation(texture), rotation).mean(),
    }
    if stage.critics:
        assert graphics.texture is not None
        # Half of the real images are re-renders, so that the critic does not merely detect the renderer's look.
        swap = torch.rand(len(images), 1, 1, 1, device=images.device) < w.params.critics.replacement
        real = torch.where(swap, vision.render.detach(), images)
        losses["image"] = wasserstein(w.critics.image, real, graphics.render.detach())
        losses["texture"] = wasserstein(w.critics.texture, texture, graphics.texture.image.detach())
    return losses


def remember(buffer: Pose, vision: Cycle) -> None:
    """Overwrite random slots of the pose buffer: rotations and translations independently, so only marginals match."""
    inferred = vision.inference
    for stored, new in (
        (buffer.rotation, inferred.of_best(inferred.pose.rotation)),
        (buffer.translation, inferred.of_best(inferred.pose.translation)),
    ):
        slots = torch.randperm(len(stored), device=stored.device)[: len(new)]
        stored[slots, 0] = new.detach()[: len(slots)]
