"""What a run starts from: networks, critics, renderer, optimisers, at step 0 and from torch's random state."""

import copy
from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor

from genren.engine import joint, precision
from genren.errors import InputError
from genren.models import checkpoint
from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer
from genren.models.parts import Pose
from genren.models.vgg import load_vgg16
from genren.params import TrainParams
from genren.render import Renderer
from genren.train.critics import critic_optimizer
from genren.train.state import State
from genren.train.terms import Worker

Module = TypeVar("Module", bound=torch.nn.Module)


def prepare(params: TrainParams, colors: Tensor, device: torch.device | str = "cpu") -> tuple[Worker, State]:
    """Everything a run moves, and what its programs use; weights are drawn on the CPU, alike for every device.

    Raises InputError for a checkpoint in `load_autoencoder` that does not fit.
    """
    device = torch.device(device)
    model = GenerativeRenderer(params.model)
    critics = Critics(params.critics, params.model, len(model.template_vertices))
    if params.load_autoencoder is not None:
        load_autoencoder(model, Path(params.load_autoencoder))
    model.camera = model.camera.to(device)
    model, critics = _placed(model, params, device), _placed(critics, params, device)
    average = copy.deepcopy(model) if params.optim.ema_decay > 0 else model
    _set_up(model, critics, params, device)

    renderer = Renderer(model.template_faces, model.camera, params.model.img_size, params.render)
    vgg = load_vgg16(params.vgg_weights).to(device) if params.vgg_weights else None
    w = Worker(model, critics, renderer, colors.to(device), params, vgg)
    # The buffer starts at the identity and the origin, as the original's (method: 1.6).
    rotations, translations = torch.eye(3).repeat(params.pose_buffer, 1, 1, 1), torch.zeros(params.pose_buffer, 1, 3)
    buffer = Pose(rotations.to(device), translations.to(device))
    rate = params.optim.autoencoder_lr if params.stages.autoencoder else params.optim.lr
    return w, State(model, critics, model_optimizer(w, rate), critic_optimizer(w, params.optim), average, buffer)


def model_optimizer(w: Worker, rate: float) -> torch.optim.Optimizer:
    """A fresh Adam for the whole model; frozen parameters have no gradient, and are left alone for it."""
    optim = w.params.optim
    decay = optim.weight_decay
    return torch.optim.Adam(w.model.parameters(), rate, (optim.beta1, optim.beta2), weight_decay=decay, fused=True)


def load_autoencoder(model: GenerativeRenderer, path: Path) -> None:
    """Shape encoder, deformation decoder and a learned template from another run's checkpoint (method: 4.6)."""
    found = checkpoint.load(path).model
    parts = [name for name in model.state_dict() if name.startswith(("shape_encoder.", "deformation."))]
    if model.params.learn_template:
        parts.append("template_vertices")
    values, own = found.state_dict(), model.state_dict()
    for name in parts:
        have = tuple(values[name].shape) if name in values else "none"
        if have != tuple(own[name].shape):
            raise InputError(
                f"train.load_autoencoder: {path} has {name} {have}, this run's is {tuple(own[name].shape)};"
                " its train.model settings must be those of the checkpoint"
            )
    model.load_state_dict({name: values[name] for name in parts}, strict=False)


def _placed(module: Module, params: TrainParams, device: torch.device) -> Module:
    """The module on its device, its convolutions' weights with the channels last where that is wanted."""
    module = module.to(device)
    if params.engine.channels_last:
        module = module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return module


def _set_up(model: GenerativeRenderer, critics: Critics, params: TrainParams, device: torch.device) -> None:
    """Batch statistics over all ranks; half-width or compiled arithmetic in the networks that cost something.

    These have nine tenths of a step's multiplications (docs/performance.md). The others end in coordinates,
    rotations or latent codes, where eight bits would show.
    """
    # Float32 is float32: cuDNN would round convolutions to TF32's ten bits.
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True
    joint.join(model)
    joint.join(critics)
    precision.tune(model.shape_encoder.points, "forward", params.engine, device)
    precision.tune(model.backbone, "forward", params.engine, device)
    precision.tune(model.texture_generator, "forward", params.engine, device)
    for name in ("image", "texture"):
        if name in critics and critics[name].objective == "wasserstein":
            precision.tune(critics[name], "features", params.engine, device)
