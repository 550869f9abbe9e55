"""`python -m tests.benchmarks.flops`: arithmetic of a training step of preset original by part.

Counted by PyTorch on a small batch and scaled: every multiplication is one of a row of the batch, or of a hypothesis.
Rendering, nearest neighbours and optimal transport are not matrix products, and not counted.
"""

import sys
from collections.abc import Callable
from typing import ClassVar

import torch
from torch.utils.flop_counter import FlopCounterMode

from genren import params
from genren.data.batches import Clouds
from genren.losses.total import weigh
from genren.params import TrainParams
from genren.train import programs
from genren.train.critics import critic_losses
from genren.train.prepare import prepare
from genren.train.schedule import Stage

ROWS = 2  # batch norm wants two


class Everywhere:
    """A module tracker that knows one place."""

    parents: ClassVar = {"Global"}

    def __enter__(self) -> None: ...

    def __exit__(self, *error: object) -> None: ...


def flops(p: TrainParams) -> dict[str, float]:
    """TFLOP of each part at the settings' batch size, forward and backward; 'waste' is what we do not compute."""
    batch, p = p.batch_size, p.model_copy(update={"batch_size": ROWS})
    w, state = prepare(p, torch.rand(100, 3))
    points = torch.nn.functional.normalize(torch.randn(ROWS, p.points, 3), dim=2)
    clouds, images = Clouds(points / 2, points), torch.rand(ROWS, 4, p.model.img_size, p.model.img_size)
    found: dict[str, float] = {}

    def count(name: str, work: Callable[[], object]) -> None:
        counter = FlopCounterMode(display=False)
        # By module is of no use here, and its hooks refuse gradient penalties.
        counter.mod_tracker = Everywhere()
        with counter:
            work()
        found[name] = counter.get_total_flops() * batch / ROWS / 1e12

    w.critics.requires_grad_(False)
    cycles = {}

    def program(name: str, *idle: str) -> None:
        made = programs.graphics(w, clouds, state.buffer) if name == "graphics" else programs.vision(w, images)
        weights = getattr(p.weights, name) | dict.fromkeys(idle, 1e-9)
        weigh(made[1], weights)[0].backward()
        cycles[name] = made[0]

    count("graphics", lambda: program("graphics"))
    count("vision", lambda: program("vision"))
    # Released: terms of weight zero are computed and differentiated.
    count("textures", lambda: program("graphics", "texture_cycle"))
    count("textures and rotations", lambda: program("graphics", "texture_cycle", "pose_confusion"))
    found["waste: textures that nobody reads"] = found["textures"] - found["graphics"]
    found["waste: rotation predictor of weight zero"] = found.pop("textures and rotations") - found.pop("textures")
    critic = w.critics["image"]

    def real_again() -> None:
        with torch.no_grad():
            critic.features(images.repeat(p.model.hypotheses - 1, 1, 1, 1))

    count("waste: real images' features, again for every hypothesis", real_again)
    w.critics.requires_grad_(True)
    graphics, vision = cycles["graphics"], cycles["vision"]

    def update() -> None:
        losses = critic_losses(w, Stage("mode3", 1.0, 1.0), images, graphics, vision)
        torch.stack(list(losses.values())).sum().backward()

    count("critics", update)
    return dict(sorted(found.items(), key=lambda item: item[0].startswith("waste")))


if __name__ == "__main__":
    names = sys.argv[1:] or ["original"]
    for preset in names:
        settings = params.parse(TrainParams, params.with_preset({"preset": preset}, "command"), "command")
        counted = flops(settings)
        ours = {name: value for name, value in counted.items() if not name.startswith("waste")}
        print(f"| {preset}, batch {settings.batch_size}, mode 3 | TFLOP |\n| :-- | --: |")
        for name, value in counted.items():
            print(f"| {name} | {value:.2f} |")
        print(f"| **this step** | {sum(ours.values()):.2f} |\n| as released | {sum(counted.values()):.2f} |")
