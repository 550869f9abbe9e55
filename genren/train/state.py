"""Everything that a run needs to continue as if it had never stopped, written atomically into its work folder."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genren import __version__
from genren.errors import InputError
from genren.files import replacing
from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer
from genren.models.parts import Pose
from genren.params import TrainParams


@dataclass
class State:
    """The moving parts of a run."""

    model: GenerativeRenderer
    critics: Critics
    optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer
    average: GenerativeRenderer  # exponential moving average of the model
    buffer: Pose  # remembered poses (n, 1, 3, 3), (n, 1, 3)
    step: int = 0

    def save(self, path: Path) -> None:
        """Write the state; an interruption leaves the last one whole."""
        values = {
            "step": self.step,
            "model": self.model.state_dict(),
            "critics": self.critics.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "critic_optimizer": self.critic_optimizer.state_dict(),
            "average": self.average.state_dict(),
            "buffer": [self.buffer.rotation, self.buffer.translation],
            "random": torch.get_rng_state(),
        }
        with replacing(path) as temporary:
            torch.save(values, temporary)

    def load(self, path: Path) -> None:
        """Continue from a saved state; a broken file is an error that says to delete it."""
        try:
            values: dict[str, Any] = torch.load(path, weights_only=True)
        except Exception as error:
            raise InputError(f"{path} cannot be read ({error}); delete its folder to start this run anew") from None
        for name in ("model", "critics", "optimizer", "critic_optimizer", "average"):
            getattr(self, name).load_state_dict(values[name])
        stored: list[Tensor] = values["buffer"]
        self.buffer.rotation.copy_(stored[0])
        self.buffer.translation.copy_(stored[1])
        torch.set_rng_state(values["random"])
        self.step = values["step"]


def run_name(category: str, seed: int, params: TrainParams, data: str) -> str:
    """Name of a run's work folder, ending in a hash of all that shapes the run: a changed one starts afresh."""
    described = {
        "params": params.model_dump(mode="json"),
        "data": data,
        "version": __version__,
        "torch": torch.__version__,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    return f"{category}-{seed}-{digest[:12]}"


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average's weights towards the model's by 1 - decay; buffers are copied."""
    for mean, value in zip(average.parameters(), model.parameters(), strict=True):
        mean.lerp_(value, 1 - decay)
    for copied, buffer in zip(average.buffers(), model.buffers(), strict=True):
        copied.copy_(buffer)
