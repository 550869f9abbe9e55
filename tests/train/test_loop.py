"""The whole training on a tiny model: every stage, reproducible, resumable, and honest about divergence."""

import os
import signal
from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from genren import paths
from genren.errors import InputError, TrainingDiverged
from genren.models import checkpoint
from genren.params import TrainParams
from genren.train import loop
from genren.train.state import State


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project root of the test's own."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    return tmp_path


def run(params: TrainParams, store: Path, out: Path, seed: int = 0) -> dict[str, torch.Tensor]:
    """Train and return the checkpoint's tensors."""
    loop.train("cabinet", seed, params, store, out)
    return load_file(out / "model.safetensors")


def test_ten_steps_through_all_stages_write_a_checkpoint_and_curves(
    tiny_params: TrainParams, tiny_store: Path, root: Path
):
    """The smallest real run passes every stage and leaves a loadable model with a curve for each term."""
    steps = loop.train("cabinet", 0, tiny_params, tiny_store, root / "run")

    trained = checkpoint.load(root / "run" / "model.safetensors", "cabinet", tiny_params)
    curves = {str(p.relative_to(root / "run/live/plots/metrics")) for p in (root / "run").rglob("*.tsv")}
    assert (steps, trained.step, trained.category) == (10, 10, "cabinet")
    assert {
        "autoencoder/chamfer.tsv",
        "randomised/texture_cycle.tsv",
        "vision/image_l1.tsv",
        "critic/image.tsv",
    } <= curves
    assert not (root / "work").exists() or not any((root / "work").iterdir())


def test_the_same_seed_gives_the_same_model(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """Two runs are equal bit for bit; another seed is not."""
    one, two = run(tiny_params, tiny_store, root / "one"), run(tiny_params, tiny_store, root / "two")
    other = run(tiny_params, tiny_store, root / "other", seed=1)

    assert all(torch.equal(one[name], two[name]) for name in one)
    assert any(not torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("stop", [1, 5, 8])
def test_an_interrupted_run_continues_to_the_same_model(
    stop: int, tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """SIGTERM after any step writes a state from which the run ends equal to one that was never stopped."""
    whole = run(tiny_params, tiny_store, root / "whole")
    taken = 0

    def count(*_: object) -> None:
        nonlocal taken
        taken += 1
        if taken == stop:
            os.kill(os.getpid(), signal.SIGTERM)

    with monkeypatch.context() as patch:
        original = loop.update_average
        patch.setattr(loop, "update_average", lambda *a: (original(*a), count()))
        with pytest.raises(SystemExit, match=f"stopped at step {stop} of 10"):
            loop.train("cabinet", 0, tiny_params, tiny_store, root / "cut")
    assert not (root / "cut").exists()

    steps = loop.train("cabinet", 0, tiny_params, tiny_store, root / "cut")

    assert steps == 10 - stop
    continued = load_file(root / "cut" / "model.safetensors")
    assert all(torch.equal(whole[name], continued[name]) for name in whole)
    rows = pd.read_csv(root / "cut/live/plots/metrics/autoencoder/chamfer.tsv", sep="\t")
    assert rows["step"].tolist() == [1, 2]


def test_a_killed_run_continues_from_its_last_checkpoint(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """A crash between checkpoints repeats the lost steps: same model, no curve row twice."""
    whole = run(tiny_params, tiny_store, root / "whole")
    with monkeypatch.context() as patch:
        original = loop.update_average
        calls = iter(range(100))

        def crash(*a: object) -> None:
            original(*a)
            if next(calls) == 6:
                raise MemoryError

        patch.setattr(loop, "update_average", crash)
        with pytest.raises(MemoryError):
            loop.train("cabinet", 0, tiny_params, tiny_store, root / "cut")

    assert loop.train("cabinet", 0, tiny_params, tiny_store, root / "cut") == 4

    continued = load_file(root / "cut" / "model.safetensors")
    assert all(torch.equal(whole[name], continued[name]) for name in whole)
    for table in (root / "cut").rglob("*.tsv"):
        assert pd.read_csv(table, sep="\t")["step"].is_unique


def test_changed_settings_start_a_run_of_their_own(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """A parameter changed after an interruption never continues the old run."""
    names = {
        loop.run_name("cabinet", 0, p, data)
        for p in (tiny_params, tiny_params.model_copy(update={"projections": 5}))
        for data in ("one", "two")
    }

    assert len(names) == 4


def test_divergence_stops_the_run_and_keeps_what_was_there(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """A loss that is not finite is named with its terms, and an earlier result stays."""
    run(tiny_params, tiny_store, root / "run")
    before = (root / "run" / "model.safetensors").read_bytes()
    monkeypatch.setattr(loop.programs.shape, "mesh_smoothness", lambda *_: torch.tensor(float("inf")))

    with pytest.raises(TrainingDiverged, match=r"mesh inf.*lower a learning rate"):
        loop.train("cabinet", 0, tiny_params, tiny_store, root / "run")

    assert (root / "run" / "model.safetensors").read_bytes() == before


def test_a_broken_state_says_what_to_delete(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """A truncated state file is an error in one sentence."""
    _, state = loop.prepare(tiny_params, torch.rand(10, 3))
    state.save(root / "state.pt")
    whole = (root / "state.pt").read_bytes()
    (root / "state.pt").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InputError, match=r"state\.pt cannot be read .* delete its folder"):
        State.load(state, root / "state.pt")


def test_a_missing_store_is_named(tiny_params: TrainParams, root: Path):
    """Training before preprocessing says what to run."""
    with pytest.raises(InputError, match="run preprocess"):
        loop.train("cabinet", 0, tiny_params, paths.processed("cabinet"), root / "run")
