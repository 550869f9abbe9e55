"""The whole training on a tiny model: every stage, reproducible, resumable, and honest about divergence."""

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
from genren.errors import InputError, TrainingDiverged
from genren.models import checkpoint
from genren.params import TrainParams
from genren.train import loop
from genren.train.state import State

ROOT = Path(__file__).parents[2]


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


def test_divergence_stops_the_run_and_keeps_what_was_there(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """A loss that is not finite is named with its terms, and an earlier result stays."""
    run(tiny_params, tiny_store, root / "run")
    before = (root / "run" / "model.safetensors").read_bytes()
    monkeypatch.setattr(loop.programs.shape, "mesh_smoothness", lambda *_: torch.tensor(float("inf")))

    with pytest.raises(
        TrainingDiverged, match=r"step 1: autoencoder/mesh inf.*no checkpoint was written.*lower a learning rate"
    ):
        loop.train("cabinet", 0, tiny_params, tiny_store, root / "run")

    assert (root / "run" / "model.safetensors").read_bytes() == before


def test_a_gradient_that_overflows_stops_the_run_at_its_step(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """Finite losses with an infinite gradient are a divergence at once; the last good checkpoint is named and whole."""
    real, calls = loop.programs.randomised, iter(range(100))

    def randomised(*arguments: object) -> tuple[object, dict]:
        cycle, terms = real(*arguments)
        if next(calls) == 1:
            zero = next(arguments[0].model.backbone.parameters()).sum() * 0
            terms = terms | {"v_prior": lambda: zero.abs().sqrt()}
        return cycle, terms

    monkeypatch.setattr(loop.programs, "randomised", randomised)

    with pytest.raises(TrainingDiverged, match=r"step 4: gradient/model nan.*last good checkpoint is .*, of step 2"):
        loop.train("cabinet", 0, tiny_params, tiny_store, root / "run")

    (state,) = (torch.load(path, weights_only=True) for path in root.glob("work/*/state.pt"))
    assert state["step"] == 2
    assert all(value.isfinite().all() for value in state["model"].values())


def test_what_the_operator_refuses_is_a_divergence(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """Coordinates that are not finite, from weights that are: the run says so with its checkpoint; bugs stay bugs."""
    for message, kind in (("vertices must be finite, got nan", TrainingDiverged), ("wrong shape", ValueError)):
        monkeypatch.setattr(loop.programs, "autoencoder", lambda *_, m=message: (_ for _ in ()).throw(ValueError(m)))

        with pytest.raises(kind, match=message) as caught:
            loop.train("cabinet", 0, tiny_params, tiny_store, root / "run")

        assert isinstance(caught.value, TrainingDiverged) == (kind is TrainingDiverged)


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


def test_speed_and_memory_are_live_metrics(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """Images a second, milliseconds by part and peak memory are curves, and the parts make up the step."""
    started = time.perf_counter()
    run(tiny_params, tiny_store, root / "run")
    wall = time.perf_counter() - started

    table = {
        path.stem: pd.read_csv(path, sep="\t").iloc[:, -1]
        for path in (root / "run/live/plots/metrics/time").glob("*.tsv")
    }
    parts = {"data", "autoencoder", "randomised", "graphics", "vision", "optimiser", "critics", "bookkeeping"}
    assert table.keys() == {f"{part}_ms" for part in parts} | {"images_per_second", "peak_memory_gb"}
    assert 0 < sum(table[f"{part}_ms"].sum() for part in parts) / 1000 < wall
    steps = sum(table[f"{part}_ms"].iloc[-1] for part in parts - {"autoencoder", "randomised"})
    assert table["images_per_second"].iloc[-1] == pytest.approx(4 / steps * 1000, rel=1e-3)


def test_a_frozen_autoencoder_rests_but_for_its_statistics(
    tiny_params: TrainParams, tiny_store: Path, root: Path, monkeypatch: pytest.MonkeyPatch
):
    """For `stages.freeze` main-phase steps encoder and decoder stay, without chamfer and normals; then Adam is new."""
    params = tiny_params.model_copy(
        update={
            "stages": tiny_params.stages.model_copy(update={"freeze": 3}),
            "model": tiny_params.model.model_copy(update={"norm": "batch", "texture_norm": "batch"}),
        }
    )
    seen: list[dict[str, torch.Tensor]] = []
    optimizers: list[object] = []
    average, make = loop.update_average, loop.model_optimizer

    def watch(*arguments: object) -> None:
        seen.append({k: v.clone() for k, v in arguments[1].state_dict().items()})
        average(*arguments)

    monkeypatch.setattr(loop, "update_average", watch)
    monkeypatch.setattr(loop, "model_optimizer", lambda *a: optimizers.append(len(seen)) or make(*a))

    run(params, tiny_store, root / "run")

    def moved(part: str, step: int) -> bool:
        return any(not torch.equal(seen[step][k], seen[step - 1][k]) for k in seen[0] if k.startswith(part))

    for step in range(1, 10):
        frozen = step in (2, 3, 4)
        assert moved("shape_encoder.points.0.weight", step) != frozen
        assert moved("deformation.layers.0.weight", step) != frozen
        assert moved("shape_encoder.points.1.running_mean", step)
    assert moved("backbone", 3)
    assert optimizers == [2, 5]
    rows = pd.read_csv(root / "run/live/plots/metrics/randomised/chamfer.tsv", sep="\t")
    assert rows["step"].tolist() == [6, 7, 8]


def test_stages_are_kept_and_an_autoencoder_is_loaded(tiny_params: TrainParams, tiny_store: Path, root: Path):
    """`keep_stages` leaves a checkpoint after stages 1 and 2; another run starts from its encoder and decoder."""
    run(tiny_params.model_copy(update={"keep_stages": True}), tiny_store, root / "run")
    kept = root / "run" / "autoencoder.safetensors"
    assert [checkpoint.load(root / "run" / f"{n}.safetensors").step for n in ("autoencoder", "randomised")] == [2, 4]

    w, _ = loop.prepare(tiny_params.model_copy(update={"load_autoencoder": str(kept)}), torch.rand(10, 3))

    stored, fresh = load_file(kept), w.model.state_dict()
    same = {name.split(".")[0] for name in stored if torch.equal(stored[name], fresh[name]) and "template" not in name}
    different = {name.split(".")[0] for name in stored if not torch.equal(stored[name], fresh[name])}
    assert {"shape_encoder", "deformation"} <= same - different
    assert {"backbone", "texture_generator"} <= different
    wider = tiny_params.model.model_copy(update={"dim_v": 7})
    with pytest.raises(InputError, match=r"load_autoencoder: .* must be those of the checkpoint"):
        loop.prepare(tiny_params.model_copy(update={"model": wider, "load_autoencoder": str(kept)}), torch.rand(10, 3))


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
