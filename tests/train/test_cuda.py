"""Training on a GPU: nothing in a step waits for the device, and its numbers are the CPU's but for rounding."""

from pathlib import Path

import pandas as pd
import pytest
import torch

from genren.data.batches import Batches
from genren.data.store import Store
from genren.losses.total import weigh
from genren.params import TrainParams
from genren.train import programs, train
from genren.train.critics import critic_losses
from genren.train.prepare import prepare
from genren.train.schedule import Stage

pytestmark = pytest.mark.gpu


def test_a_step_does_not_wait_for_the_device(tiny_params: TrainParams, tiny_store: Path):
    """Batches, programs, critics and optimisers queue their work; PyTorch refuses whatever would synchronise."""
    batches = Batches(Store.open(tiny_store), "train", tiny_params.batch_size, "cuda")
    w, state = prepare(tiny_params, batches.color_pool(), "cuda")

    def step() -> None:
        clouds, images = batches.draw_clouds(tiny_params.points), batches.draw_images()
        randomised, graphics = programs.randomised(w, clouds), programs.graphics(w, clouds, state.buffer)
        vision = programs.vision(w, images)
        for name, terms in (("randomised", randomised[1]), ("graphics", graphics[1]), ("vision", vision[1])):
            weigh(terms, getattr(tiny_params.weights, name))[0].backward()
        state.optimizer.step()
        losses = critic_losses(w, Stage("mode3", 1.0, 1.0), images, graphics[0], vision[0])
        torch.stack(list(losses.values())).sum().backward()
        state.critic_optimizer.step()

    step()  # kernels are compiled and constants moved once
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_all_stages_run(
    precision: str, tiny_params: TrainParams, tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Ten steps through every stage end with a checkpoint, times by part and the device's memory."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    engine = tiny_params.engine.model_copy(update={"device": "cuda", "precision": precision})

    assert train("cabinet", 0, tiny_params.model_copy(update={"engine": engine}), tiny_store, tmp_path / "run") == 10

    memory = pd.read_csv(tmp_path / "run/live/plots/metrics/time/peak_memory_gb.tsv", sep="\t")
    assert (memory.iloc[:, -1] > 0).all()
