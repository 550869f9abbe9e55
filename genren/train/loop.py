"""Training of one category: the five-stage curriculum on one page (method: 4)."""

import copy
import shutil
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import torch
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

import genren
from genren import paths
from genren.data.batches import Batches
from genren.data.store import Store
from genren.files import digest, replacing_folder
from genren.losses.total import check_finite, weigh
from genren.models import checkpoint
from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer
from genren.models.parts import Pose
from genren.models.vgg import load_vgg16
from genren.params import TrainParams
from genren.render import Renderer
from genren.train import programs
from genren.train.critics import critic_losses, critic_optimizer, remember
from genren.train.live import Curves
from genren.train.schedule import stage_at
from genren.train.state import State, run_name, update_average

Module = TypeVar("Module", bound=torch.nn.Module)


def train(category: str, seed: int, params: TrainParams, data: Path, out: Path) -> int:
    """Train one model on the store in `data`; write `model.safetensors` and `live/` into the folder `out`.

    A run that was interrupted with the same settings, data and code continues where it stopped. Returns the number of
    steps taken by this call. Raises TrainingDiverged if a loss is not finite, InputError for a missing store.
    """
    torch.manual_seed(seed)
    batches = Batches(Store.open(data), "train", params.batch_size)
    w, state = prepare(params, batches.color_pool())
    work = paths.work(
        run_name(category, seed, params, digest(data, "*") + digest(Path(genren.__file__).parent, "**/*.py"))
    )
    resumable = work / "state.pt"
    if resumable.exists():
        state.load(resumable)
    start, total = state.step, params.stages.total

    with (
        Curves(work / "live", start, params.log_every) as curves,
        _progress(f"train {category}-{seed}", total) as bar,
        _stop_request() as stop,
    ):
        while state.step < total:
            stage = stage_at(state.step, params.stages)
            if state.step == params.stages.autoencoder > 0:
                state.optimizer = _optimizer(w, params, params.optim.lr)
            if state.step == params.optim.autoencoder_lr_halves_at and stage.name == "autoencoder":
                state.optimizer.param_groups[0]["lr"] *= 0.5
            where = f"at step {state.step} of {category}-{seed}"
            values: dict[str, torch.Tensor] = {}

            # Generator: shape to image to shape, by learned and by random poses and textures; then image to shape to
            # image. Each program's graph is freed before the next one is built.
            w.critics.requires_grad_(False)
            state.optimizer.zero_grad(set_to_none=True)
            if stage.name == "autoencoder":
                terms = programs.autoencoder(w, batches.draw_clouds(params.points))
                values |= _descend("autoencoder", terms, params, 1.0, where)
            elif stage.graphics < 1:
                graphics, terms = programs.randomised(w, batches.draw_clouds(params.points))
                values |= _descend("randomised", terms, params, 1 - stage.graphics, where)
            if stage.graphics > 0:
                graphics, terms = programs.graphics(w, batches.draw_clouds(params.points), state.buffer)
                values |= _descend("graphics", terms, params, stage.graphics, where)
            if stage.vision > 0:
                images = batches.draw_images()
                vision, terms = programs.vision(w, images, learned_poses=stage.name == "mode3")
                values |= _descend("vision", terms, params, stage.vision, where)
            state.optimizer.step()
            update_average(state.average, w.model, params.optim.ema_decay)

            # Critics: one update each, on the same tensors.
            if stage.vision > 0:
                w.critics.requires_grad_(True)
                state.critic_optimizer.zero_grad(set_to_none=True)
                losses = critic_losses(w, stage, images, graphics, vision)
                total_loss = torch.stack(list(losses.values())).sum()
                check_finite(total_loss, losses, f"in the critics {where}")
                total_loss.backward()
                state.critic_optimizer.step()
                values |= {f"critic/{name}": loss.detach() for name, loss in losses.items()}
                if stage.critics or params.critics.remember_in_mode1:
                    remember(state.buffer, vision, joint=params.critics.pose == "joint")

            # Bookkeeping.
            state.step += 1
            curves.log(state.step, {name: float(value) for name, value in values.items()})
            bar(state.step, stage.name)
            if stop() or state.step % params.checkpoint_every == 0:
                state.save(resumable)
            if stop():
                raise SystemExit(f"stopped at step {state.step} of {total}; the same command continues from there")

    with replacing_folder(out) as folder:
        checkpoint.save(folder / "model.safetensors", state.average, category, seed, total, params)
        shutil.copytree(work / "live", folder / "live")
    shutil.rmtree(work)
    return total - start


def _descend(
    program: str, terms: programs.Terms, params: TrainParams, share: float, where: str
) -> dict[str, torch.Tensor]:
    """Add the gradient of a program's weighted terms; return their values by name."""
    loss, values = weigh(terms, getattr(params.weights, program))
    check_finite(loss, values, f"in {program} {where}")
    (share * loss).backward()
    return {f"{program}/{name}": value for name, value in values.items()}


def prepare(params: TrainParams, colors: torch.Tensor) -> tuple[programs.Worker, State]:
    """Networks, critics, renderer and optimisers at step 0, from torch's random state."""
    model = _channels_last(GenerativeRenderer(params.model))
    critics = _channels_last(Critics(params.critics, params.model, len(model.template_vertices)))
    renderer = Renderer(model.template_faces, model.camera, params.model.img_size, params.render)
    vgg = load_vgg16(params.vgg_weights) if params.vgg_weights else None
    w = programs.Worker(model, critics, renderer, colors, params, vgg)
    # The buffer starts at the identity and the origin, as the original's (method: 1.6).
    buffer = Pose(torch.eye(3).repeat(params.pose_buffer, 1, 1, 1), torch.zeros(params.pose_buffer, 1, 3))
    optimizer = _optimizer(w, params, params.optim.autoencoder_lr)
    state = State(model, critics, optimizer, critic_optimizer(w, params.optim), copy.deepcopy(model), buffer)
    return w, state


def _channels_last(module: Module) -> Module:
    """The module with the memory layout in which its convolutions are about a tenth faster on the CPU."""
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def _optimizer(w: programs.Worker, params: TrainParams, rate: float) -> torch.optim.Optimizer:
    optim = params.optim
    trained = [p for p in w.model.parameters() if p.requires_grad]
    return torch.optim.Adam(trained, rate, (optim.beta1, optim.beta2), weight_decay=optim.weight_decay)


@contextmanager
def _progress(title: str, total: int) -> Iterator[Callable[[int, str], None]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns) as progress:
        task = progress.add_task(title, total=total)
        yield lambda step, stage: progress.update(task, completed=step, description=f"{title} {stage}")


@contextmanager
def _stop_request() -> Iterator[Callable[[], bool]]:
    """Turn SIGINT and SIGTERM into a question the loop asks between steps."""
    asked = False

    def ask(number: int, frame: FrameType | None) -> None:
        nonlocal asked
        asked = True

    old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
