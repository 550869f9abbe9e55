"""`python -m tests.benchmarks.step [preset]`: a mode-3 step by part, and what each choice of the engine brings.

Every row is timed with and without its choice in turn, in one run, and medians are taken. On the CPU the clock is the
process's own time on one thread, which other work on the machine touches least. On CUDA the step is set beside the
arithmetic it holds (`flops.py`).
"""

import statistics
import sys
import time
from collections.abc import Callable

import torch

from genren import params
from genren.data.batches import Clouds
from genren.losses.total import weigh
from genren.params import TrainParams
from genren.train import programs
from genren.train.critics import critic_losses
from genren.train.prepare import prepare
from genren.train.schedule import Stage
from genren.train.state import update_average
from tests.benchmarks.flops import flops

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"
ROUNDS = 15
clock = time.perf_counter if CUDA else time.process_time
PEAK = {"float32": 67e12, "bfloat16": 989e12}  # dense, of an H100 SXM: NVIDIA's data sheet


class Scene:
    """A run at step 0 with made-up batches, and the parts of its step."""

    def __init__(self, p: TrainParams) -> None:
        torch.manual_seed(0)
        self.p = p
        self.w, self.state = prepare(p, torch.rand(100, 3), DEVICE)
        points = torch.nn.functional.normalize(torch.randn(p.batch_size, p.points, 3, device=DEVICE), dim=2)
        self.clouds = Clouds(points / 2, points)
        images = torch.rand(p.batch_size, 4, p.model.img_size, p.model.img_size, device=DEVICE)
        self.images = images.contiguous(memory_format=torch.channels_last)

    def graphics(self) -> None:
        """Shape to image to shape, forward and backward."""
        self.w.critics.requires_grad_(False)
        self.cycle, terms = programs.graphics(self.w, self.clouds, self.state.buffer)
        weigh(terms, self.p.weights.graphics)[0].backward()

    def vision(self) -> None:
        """Image to shape to image."""
        self.w.critics.requires_grad_(False)
        self.seen, terms = programs.vision(self.w, self.images)
        weigh(terms, self.p.weights.vision)[0].backward()

    def critics(self) -> None:
        """Every critic's update but for its optimiser."""
        self.w.critics.requires_grad_(True)
        losses = critic_losses(self.w, Stage("mode3", 1.0, 1.0), self.images, self.cycle, self.seen)
        torch.stack(list(losses.values())).sum().backward()

    def optimiser(self) -> None:
        """Both optimisers and the average."""
        self.state.optimizer.step()
        self.state.critic_optimizer.step()
        update_average(self.state.average, self.w.model, self.p.optim.ema_decay)


def milliseconds(*work: Callable[[], object]) -> list[float]:
    """Medians of each, taking turns."""
    times: list[list[float]] = [[] for _ in work]
    for turn in range(ROUNDS + 1):
        for index, run in enumerate(work):
            start = clock()
            run()
            if CUDA:
                torch.cuda.synchronize()
            if turn:
                times[index].append(1000 * (clock() - start))
    return [statistics.median(t) for t in times]


def slow_average(average: torch.nn.Module, model: torch.nn.Module, decay: float) -> None:
    """The average, tensor by tensor."""
    with torch.no_grad():
        for mean, value in zip(average.parameters(), model.parameters(), strict=True):
            mean.lerp_(value, 1 - decay)


def engine(p: TrainParams, **changes: object) -> TrainParams:
    """The settings with another engine."""
    return p.model_copy(update={"engine": p.engine.model_copy(update=changes)})


def main(preset: str) -> None:
    """Print both tables."""
    if not CUDA:
        torch.set_num_threads(1)
    p = params.parse(TrainParams, params.with_preset({"preset": preset}, "command"), "command")
    scene = Scene(p)
    names = ("graphics", "vision", "critics", "optimiser")
    parts = dict(zip(names, milliseconds(*(getattr(scene, name) for name in names)), strict=True))
    print(f"| {preset}, batch {p.batch_size}, {p.engine.precision} | ms |\n| :-- | --: |")
    for name, value in parts.items():
        print(f"| {name} | {value:.1f} |")
    total = sum(parts.values())
    print(f"| **step** | {total:.1f} |")
    if CUDA:
        counted = sum(value for name, value in flops(p).items() if not name.startswith("waste"))
        floor = counted * 1e15 / PEAK[p.engine.precision]
        print(f"| floor, {counted:.2f} TFLOP | {floor:.1f} |\n| share of the floor | {floor / total:.2f} |")

    # The optimiser has moved the scene's weights, and with them what a render costs.
    fresh = Scene(p)
    model, optim = scene.w.model, p.optim
    plain = torch.optim.Adam(model.parameters(), optim.lr, (optim.beta1, optim.beta2), weight_decay=optim.weight_decay)
    idle = p.model_copy(
        update={"weights": p.weights.model_copy(update={"graphics": p.weights.graphics | {"texture_cycle": 1e-9}})}
    )
    pairs: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
        "Adam, fused": (plain.step, scene.state.optimizer.step),
        "average, one call for all tensors": (
            lambda: slow_average(scene.state.average, model, 0.98),
            lambda: update_average(scene.state.average, model, 0.98),
        ),
        "textures that nobody reads, not decoded": (Scene(idle).graphics, fresh.graphics),
        "channels last: vision": (Scene(engine(p, channels_last=False)).vision, fresh.vision),
        "bfloat16: vision": (fresh.vision, Scene(engine(p, precision="bfloat16")).vision),
    }
    print("\n| ms | without | with | with / without |\n| :-- | --: | --: | --: |")
    for name, (without, with_) in pairs.items():
        a, b = milliseconds(without, with_)
        print(f"| {name} | {a:.1f} | {b:.1f} | {b / a:.2f} |")


if __name__ == "__main__":
    main(*(sys.argv[1:] or ["mini"]))
