"""The whole training on a tiny model: every stage, reproducible, and honest about divergence."""

import time
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
from tests.train.conftest import run

pytestmark = pytest.mark.usefixtures("root")


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


def test_a_missing_store_is_named(tiny_params: TrainParams, root: Path):
    """Training before preprocessing says what to run."""
    with pytest.raises(InputError, match="run preprocess"):
        loop.train("cabinet", 0, tiny_params, paths.processed("cabinet"), root / "run")
