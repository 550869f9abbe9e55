"""What the tests of the whole training share: a project root of their own, and a run of it."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from genren.params import TrainParams
from genren.train import loop


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project root of the test's own."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    return tmp_path


def run(params: TrainParams, store: Path, out: Path, seed: int = 0) -> dict[str, torch.Tensor]:
    """Train and return the checkpoint's tensors."""
    loop.train("cabinet", seed, params, store, out)
    return load_file(out / "model.safetensors")
