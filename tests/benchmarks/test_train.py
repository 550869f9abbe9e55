"""Time of one training step of preset mini by part, on made-up batches. Run by `make bench`."""

from pathlib import Path
from typing import Any

import pytest
import torch

from genren import params
from genren.data.batches import Clouds
from genren.losses.total import weigh
from genren.train import programs
from genren.train.critics import critic_losses
from genren.train.loop import prepare
from genren.train.schedule import Stage

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def scene() -> tuple[Any, ...]:
    """Worker, state, clouds and images of the embedded default."""
    p = params.load(ROOT / "params.yaml").train
    w, state = prepare(p, torch.rand(100, 3))
    points = torch.nn.functional.normalize(torch.randn(p.batch_size, p.points, 3), dim=2)
    images = torch.rand(p.batch_size, 4, p.model.img_size, p.model.img_size)
    return w, state, Clouds(points / 2, points), images.contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("program", ["autoencoder", "randomised", "graphics", "vision"])
def test_program(benchmark: Any, scene: tuple[Any, ...], program: str):
    """Forward and backward of one program with its weighted terms."""
    w, state, clouds, images = scene
    w.critics.requires_grad_(False)

    def step() -> None:
        if program == "autoencoder":
            terms = programs.autoencoder(w, clouds)
        elif program == "randomised":
            terms = programs.randomised(w, clouds)[1]
        elif program == "graphics":
            terms = programs.graphics(w, clouds, state.buffer)[1]
        else:
            terms = programs.vision(w, images)[1]
        weigh(terms, getattr(w.params.weights, program))[0].backward()

    benchmark(step)


def test_critics(benchmark: Any, scene: tuple[Any, ...]):
    """One update of all four critics, forward, penalty and backward."""
    w, state, clouds, images = scene
    graphics, vision = programs.graphics(w, clouds, state.buffer)[0], programs.vision(w, images)[0]
    w.critics.requires_grad_(True)

    def step() -> None:
        losses = critic_losses(w, Stage("mode3", 1.0, 1.0), images, graphics, vision)
        torch.stack(list(losses.values())).sum().backward()

    benchmark(step)
