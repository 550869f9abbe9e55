"""Training of one category: the five-stage curriculum on one page (method: 4)."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

import genren
from genren import paths
from genren.data.batches import Batches
from genren.data.store import Store
from genren.engine import ranks
from genren.files import digest, replacing_folder
from genren.geometry.template import find_template
from genren.losses.total import Terms, weigh
from genren.models import checkpoint
from genren.params import TrainParams
from genren.train import programs
from genren.train.clock import Clock
from genren.train.critics import critic_losses, remember
from genren.train.live import Curves
from genren.train.prepare import model_optimizer, prepare
from genren.train.schedule import stage_at
from genren.train.state import State, run_name, update_average
from genren.train.terms import pose_health
from genren.train.watch import diverging, progress, stop_request


def train(category: str, seed: int, params: TrainParams, data: Path, out: Path) -> int:
    """Train one model on the store in `data`; write `model.safetensors` and `live/` into the folder `out`.

    A run that was interrupted with the same settings, data and code continues where it stopped. Processes that torchrun
    started share every batch, and rank 0 writes. Returns the number of steps taken by this call. Raises
    TrainingDiverged if a loss or a gradient is not finite, InputError for a missing store or an impossible setting.
    """
    with ranks.group(params.engine.device, params.batch_size) as device:
        return _train(category, seed, params, data, out, device)


def inputs(params: TrainParams, data: Path) -> str:
    """Digest of all that a run reads: the store, the code, and the files that its settings name."""
    digests = [digest(data), digest(Path(genren.__file__).parent, "**/*.py")]
    files = [Path(file) for file in (params.load_autoencoder, params.vgg_weights) if file]
    if params.model.template != "sphere":
        files.append(find_template(params.model.template))
    return "".join(digests + [digest(file.parent, file.name) for file in files])


def _train(category: str, seed: int, params: TrainParams, data: Path, out: Path, device: torch.device) -> int:
    # The same seed on every rank: all start from the same weights and draw the same joint batches.
    torch.manual_seed(seed)
    rows, subsets = params.batch_size // ranks.count(), (params.image_subset, params.shape_subset)
    batches = Batches(Store.open(data), "train", rows, device, *subsets)
    w, state = prepare(params, batches.color_pool(), device)
    work = paths.work(run_name(category, seed, params, inputs(params, data)))
    resumable = work / "state.pt"
    if resumable.exists():
        state.load(resumable)
    start, total, lengths = state.step, params.stages.total, params.stages
    model_parts, critic_parts = list(w.model.parameters()), list(w.critics.parameters())
    clock = Clock(device, params.batch_size)

    with (
        Curves(work / "live", start, params.log_every, state.sums, lambda: state.describe(resumable)) as curves,
        progress(f"train {category}-{seed}", total) as bar,
        stop_request() as stop,
    ):
        while state.step < total:
            values: dict[str, Tensor] = {}
            stage = stage_at(state.step, lengths)

            # Stages: Adam starts afresh where the curriculum changes what it trains (method: 4.3, 4.6).
            unfrozen = lengths.autoencoder + lengths.freeze
            frozen = lengths.autoencoder <= state.step < unfrozen
            for network in (w.model.shape_encoder, w.model.deformation):
                network.requires_grad_(not frozen)
            if state.step > 0 and state.step in (lengths.autoencoder, unfrozen):
                state.optimizer = model_optimizer(w, params.optim.lr)
            if state.step == params.optim.autoencoder_lr_halves_at and stage.name == "autoencoder":
                state.optimizer.param_groups[0]["lr"] *= 0.5

            # Generator: shape to image to shape, by learned and by random poses and textures; then image to shape to
            # image. Each program's graph is freed before the next one is built.
            w.critics.requires_grad_(False)
            state.optimizer.zero_grad()
            with diverging(state.step, curves):
                if stage.name == "autoencoder":
                    clock("data")
                    clouds = batches.draw_clouds(params.points)
                    clock("autoencoder")
                    values |= _descend("autoencoder", programs.autoencoder(w, clouds), params, 1.0)
                elif stage.graphics < 1:
                    clock("data")
                    clouds = batches.draw_clouds(params.points)
                    clock("randomised")
                    graphics, terms = programs.randomised(w, clouds)
                    values |= _descend("randomised", terms, params, 1 - stage.graphics, frozen)
                if stage.graphics > 0:
                    clock("data")
                    clouds = batches.draw_clouds(params.points)
                    clock("graphics")
                    graphics, terms = programs.graphics(w, clouds, state.buffer)
                    values |= _descend("graphics", terms, params, stage.graphics, frozen)
                if stage.vision > 0:
                    clock("data")
                    images = batches.draw_images()
                    clock("vision")
                    vision, terms = programs.vision(w, images, learned_poses=stage.name == "mode3")
                    values |= _descend("vision", terms, params, stage.vision) | pose_health(vision.inference)
            clock("optimiser")
            values["gradient/model"] = _step(state.optimizer, model_parts)
            update_average(state.average, w.model, params.optim.ema_decay)

            # Critics: on the same tensors, more than once for those that are to be ahead.
            if stage.vision > 0:
                clock("critics")
                w.critics.requires_grad_(True)
                for update in range(params.critics.updates):
                    losses = critic_losses(w, stage, images, graphics, vision, update)
                    if not losses:
                        break
                    state.critic_optimizer.zero_grad()
                    torch.stack(list(losses.values())).sum().backward()
                    values["gradient/critics"] = _step(state.critic_optimizer, critic_parts)
                    values |= {f"critic/{name}": loss for name, loss in losses.items()}
                if stage.critics or params.critics.remember_in_mode1:
                    remember(state.buffer, vision, joint=params.critics.pose == "joint")

            # Bookkeeping: a state is saved only when everything up to it has been seen to be finite.
            clock("bookkeeping")
            state.step += 1
            curves.log(state.step, values, clock)
            bar(state.step, stage.name)
            if params.keep_stages and state.step in (lengths.autoencoder, lengths.autoencoder + lengths.randomised):
                curves.look()
                _keep(work / "stages" / f"{stage.name}.safetensors", state, category, seed, params)
            stopping = stop()
            if stopping or state.step % params.checkpoint_every == 0:
                curves.look()
                state.save(resumable)
            if stopping:
                said = f"stopped at step {state.step} of {total}; the same command continues from there"
                raise SystemExit(said if ranks.rank() == 0 else 1)

    if ranks.rank() == 0:
        with replacing_folder(out) as folder:
            checkpoint.save(folder / "model.safetensors", state.average, category, seed, total, params)
            for kept in sorted(work.glob("stages/*.safetensors")):
                shutil.copy(kept, folder / kept.name)
            shutil.copytree(work / "live", folder / "live")
        shutil.rmtree(work)
    return total - start


def _descend(program: str, terms: Terms, params: TrainParams, share: float, frozen: bool = False) -> dict[str, Tensor]:
    """Add the gradient of a program's weighted terms; return their values by name."""
    weights = getattr(params.weights, program)
    if frozen:
        # What only encoder and decoder could improve (method: 4.6).
        weights = {**weights, "chamfer": 0, "normals": 0}
    loss, values = weigh(terms, weights)
    (share * loss).backward()
    return {f"{program}/{name}": value for name, value in values.items()}


def _step(optimizer: torch.optim.Optimizer, parameters: Sequence[Tensor]) -> Tensor:
    """One step by the ranks' mean gradient; returns its norm, which is not finite if any of it is not."""
    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    ranks.average(gradients)
    norm = torch.nn.utils.get_total_norm(gradients)
    optimizer.step()
    return norm


def _keep(path: Path, state: State, category: str, seed: int, params: TrainParams) -> None:
    """A checkpoint of the weights at the end of a stage, from rank 0."""
    if ranks.rank() == 0:
        checkpoint.save(path, state.average, category, seed, state.step, params)
