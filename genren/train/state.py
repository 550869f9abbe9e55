"""Everything that a run needs to continue as if it had never stopped, written atomically into its work folder."""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from genren import __version__
from genren.engine import ranks
from genren.errors import InputError
from genren.files import replacing
from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer
from genren.models.parts import Pose
from genren.params import TrainParams
from genren.train.live import Sums

# Settings that decide when something is written or by how many processes, but no number: a run may go on with others.
FREE: dict[str, Any] = {"checkpoint_every": True, "log_every": True, "engine": {"devices": True}}


@dataclass
class State:
    """The moving parts of a run."""

    model: GenerativeRenderer
    critics: Critics
    optimizer: torch.optim.Optimizer
    critic_optimizer: torch.optim.Optimizer
    average: GenerativeRenderer  # exponential moving average of the model; the model itself where none is kept
    buffer: Pose  # remembered poses (n, 1, 3, 3), (n, 1, 3)
    step: int = 0
    saved: int | None = None  # step of the last checkpoint
    sums: Sums = field(default_factory=dict)  # logged since the last row of the curves

    def save(self, path: Path) -> None:
        """Write the state, from rank 0; an interruption or a full disk leaves the last one whole.

        All ranks' generators are alike, so that one state of them serves any number of ranks.
        """
        self.saved = self.step
        if ranks.rank() > 0:
            return
        values = {
            "step": self.step,
            "sums": self.sums,
            "model": self.model.state_dict(),
            "critics": self.critics.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "critic_optimizer": self.critic_optimizer.state_dict(),
            "buffer": [self.buffer.rotation, self.buffer.translation],
            "random": torch.get_rng_state(),
        }
        if self.average is not self.model:
            values["average"] = self.average.state_dict()
        if self.buffer.rotation.is_cuda:
            values["cuda_random"] = torch.cuda.get_rng_state(self.buffer.rotation.device)
        try:
            with replacing(path) as temporary:
                torch.save(values, temporary)
        # PyTorch's writer answers a full disk with a RuntimeError.
        except (OSError, RuntimeError) as error:
            raise InputError(
                f"{path} cannot be written at step {self.step} ({error}); what was there before is whole: make room and"
                " run the same command"
            ) from error

    def load(self, path: Path) -> None:
        """Continue from a saved state; a broken file is an error that says to delete it."""
        try:
            values: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            raise InputError(f"{path} cannot be read ({error}); delete its folder to start this run anew") from None
        for name in ("model", "critics", "optimizer", "critic_optimizer", "average"):
            if name in values:
                getattr(self, name).load_state_dict(values[name])
        stored: list[Tensor] = values["buffer"]
        self.buffer.rotation.copy_(stored[0])
        self.buffer.translation.copy_(stored[1])
        torch.set_rng_state(values["random"])
        if self.buffer.rotation.is_cuda and "cuda_random" in values:
            torch.cuda.set_rng_state(values["cuda_random"], self.buffer.rotation.device)
        self.step = self.saved = values["step"]
        self.sums = values["sums"]

    def describe(self, path: Path) -> str:
        """What a run that breaks off here leaves, and what to do."""
        kept = f"the last good checkpoint is {path}, of step {self.saved}"
        return f"{'no checkpoint was written yet' if self.saved is None else kept}; lower a learning rate or a weight"


def run_name(category: str, seed: int, params: TrainParams, data: str) -> str:
    """Name of a run's work folder, ending in a hash of all that shapes the run: a changed one starts afresh.

    `data` is a digest of everything that the run reads.
    """
    described = {
        "params": params.model_dump(mode="json", exclude=FREE),
        "data": data,
        "version": __version__,
        "torch": torch.__version__,
    }
    digest = hashlib.sha256(json.dumps(described, sort_keys=True).encode()).hexdigest()
    return f"{category}-{seed}-{digest[:12]}"


@torch.no_grad()
def update_average(average: nn.Module, model: nn.Module, decay: float) -> None:
    """Move the average's weights towards the model's by 1 - decay; buffers are copied."""
    if average is model:
        return
    torch._foreach_lerp_(list(average.parameters()), list(model.parameters()), 1 - decay)
    buffers = list(average.buffers())
    if buffers:
        torch._foreach_copy_(buffers, list(model.buffers()))
