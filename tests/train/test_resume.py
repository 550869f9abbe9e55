"""Training that is stopped, killed or out of disk goes on as if nothing had been, and never as another run."""

import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch
import yaml
from safetensors.torch import load_file

from genren import paths
from genren.errors import InputError
from genren.params import TrainParams
from genren.train import loop
from genren.train.state import State
from tests.train.conftest import run

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.usefixtures("root")


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


def test_a_run_killed_outright_continues_to_the_same_model(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """SIGKILL of the real stage, at whatever instruction it is, loses nothing but the steps since its checkpoint."""
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings |= {"categories": ["cabinet"], "train": tiny_params.model_dump(mode="json")}
    settings["preprocess"]["img_size"] = tiny_params.model.img_size
    (root / "params.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(tiny_store, paths.processed("cabinet"))
    victim = subprocess.Popen([sys.executable, "-m", "stages.train", "cabinet", "0"], cwd=ROOT, stdout=subprocess.PIPE)
    try:
        for _ in range(3000):
            if list(root.glob("work/*/state.pt")) or victim.poll() is not None:
                break
            time.sleep(0.02)
    finally:
        victim.kill()
        victim.communicate()

    assert victim.returncode == -signal.SIGKILL
    assert not paths.run("cabinet", 0).exists()
    taken = loop.train("cabinet", 0, tiny_params, tiny_store, root / "cut")
    assert 0 <= taken <= 8
    monkeypatch.setenv("GENREN_ROOT", str(root / "another"))
    whole = run(tiny_params, tiny_store, root / "whole")
    continued = load_file(root / "cut" / "model.safetensors")
    assert all(torch.equal(whole[name], continued[name]) for name in whole)


def test_changed_settings_start_a_run_of_their_own(tiny_params: TrainParams):
    """A parameter changed after an interruption never continues the old run, but for those that change no number."""

    def name(data: str = "one", **changes: object) -> str:
        return loop.run_name("cabinet", 0, tiny_params.model_copy(update=changes), data)

    two = tiny_params.engine.model_copy(update={"devices": 2})
    half = tiny_params.engine.model_copy(update={"precision": "bfloat16"})
    assert len({name(), name("two"), name(projections=5), name(engine=half), name(keep_stages=True)}) == 5
    assert {name()} == {name(checkpoint_every=4), name(log_every=2), name(engine=two)}


def test_a_file_that_settings_name_belongs_to_the_run(tiny_params: TrainParams, tiny_store: Path, tmp_path: Path):
    """Another template under the same name, or other data, is another run."""
    template = tmp_path / "template.obj"
    params = tiny_params.model_copy(update={"model": tiny_params.model.model_copy(update={"template": str(template)})})
    template.write_text("one")

    before = loop.inputs(params, tiny_store)

    assert before == loop.inputs(params, tiny_store)
    assert before != loop.inputs(params, tmp_path)
    template.write_text("other")
    assert before != loop.inputs(params, tiny_store)


def test_a_full_disk_loses_nothing(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """Where a file may not grow, as on a full disk, checkpoint and result that were there before stay whole."""
    limits, save = resource.getrlimit(resource.RLIMIT_FSIZE), torch.save

    def on_a_full_disk(*arguments: object) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, limits[1]))
        try:
            save(*arguments)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    whole = run(tiny_params, tiny_store, root / "run")
    _, state = loop.prepare(tiny_params, torch.rand(10, 3))
    state.save(root / "state.pt")
    before = (root / "state.pt").read_bytes()
    state.step = 1
    monkeypatch.setattr(torch, "save", on_a_full_disk)

    with pytest.raises(InputError, match=r"state\.pt cannot be written at step 1 .* what was there before is whole"):
        state.save(root / "state.pt")
    with pytest.raises(InputError, match="cannot be written at step 2"):
        loop.train("cabinet", 0, tiny_params, tiny_store, root / "run")

    assert (root / "state.pt").read_bytes() == before
    assert sorted(path.name for path in root.iterdir()) == ["run", "state.pt", "work"]
    assert all(torch.equal(whole[name], tensor) for name, tensor in load_file(root / "run/model.safetensors").items())


def test_the_curves_of_an_interrupted_run_are_whole(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """Means over several steps, one of them cut by SIGTERM and one row cut by a full disk, are those of a whole run."""
    params = tiny_params.model_copy(update={"log_every": 5, "checkpoint_every": 5})
    run(params, tiny_store, root / "whole")
    calls = iter(range(100))
    with pytest.MonkeyPatch.context() as patch:
        average = loop.update_average
        patch.setattr(
            loop,
            "update_average",
            lambda *a: (average(*a), os.kill(os.getpid(), signal.SIGTERM) if next(calls) == 6 else None),
        )
        with pytest.raises(SystemExit, match="step 7"):
            run(params, tiny_store, root / "cut")
    (table,) = root.glob("work/*/live/plots/metrics/randomised/chamfer.tsv")
    table.write_text(table.read_text() + "10")

    run(params, tiny_store, root / "cut")

    for path in (root / "whole").rglob("*.tsv"):
        if path.parent.name != "time":
            assert path.read_text() == (root / "cut" / path.relative_to(root / "whole")).read_text()


def test_a_broken_state_says_what_to_delete(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """A truncated state file is an error in one sentence."""
    _, state = loop.prepare(tiny_params, torch.rand(10, 3))
    state.save(root / "state.pt")
    whole = (root / "state.pt").read_bytes()
    (root / "state.pt").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(InputError, match=r"state\.pt cannot be read .* delete its folder"):
        State.load(state, root / "state.pt")
