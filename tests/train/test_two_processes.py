"""Two processes with half the batch each train the model that one process trains with the joint batch."""

from pathlib import Path

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from genren.files import write_json
from genren.params import TrainParams
from genren.params.train import CriticRates
from genren.train import train
from tests.engine.together import together


# Adam divides a gradient by its size: where that is rounding alone, a weight moves by the whole rate, this way or that.
# Slow rates keep that noise from being what the next step is about.
def rates(value: float) -> dict[str, object]:
    """Every learning rate, of networks and critics."""
    critics = CriticRates(**dict.fromkeys(CriticRates.model_fields, value))
    return {"autoencoder_lr": value, "lr": value, "critic_lrs": critics}


# Batch statistics over the ranks, or none; poses matched apart or as pairs; several updates of the shape critic.
VARIANTS = {
    "group": {"optim": rates(1e-6)},
    "batch": {
        "optim": rates(1e-9),
        "model": {"norm": "batch", "texture_norm": "batch"},
        "critics": {"pose": "marginal", "updates": 2, "shape_penalty": "code"},
    },
}


@pytest.fixture(scope="module")
def runs(tiny_params: TrainParams, tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Folders of the same runs by one process and by two."""
    one, two = tmp_path_factory.mktemp("one"), tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GENREN_ROOT", str(two))
        for name, changes in VARIANTS.items():
            sections = {key: getattr(tiny_params, key).model_copy(update=value) for key, value in changes.items()}
            params = tiny_params.model_copy(update=sections)
            write_json(two / f"{name}.json", params.model_dump(mode="json"))
            train("cabinet", 0, params, tiny_store, one / name)
        together("tests.train.on_two_ranks", tiny_store, two)
    return one, two


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_loss_of_every_stage_is_the_same(variant: str, runs: tuple[Path, Path]):
    """All terms, critics and gradient norms agree step by step, through all five stages.

    Batch norm of four rows multiplies rounding, by hundreds where they are nearly alike; statistics of each rank's own
    rows would change the losses by tens of per cent.
    """
    relative = {"group": 1e-4, "batch": 2e-2}[variant]
    one, two = (folder / variant / "live/plots/metrics" for folder in runs)
    names = sorted(str(path.relative_to(one)) for path in one.rglob("*.tsv") if path.parent.name != "time")

    assert names == sorted(str(path.relative_to(two)) for path in two.rglob("*.tsv") if path.parent.name != "time")
    assert len(names) > 30
    for name in names:
        alone, together_ = (torch.tensor(pd.read_csv(f / name, sep="\t").iloc[:, -1].to_numpy()) for f in (one, two))
        torch.testing.assert_close(together_, alone, rtol=relative, atol=1e-5, msg=lambda m, n=name: f"{n}: {m}")


def test_the_weights_are_the_same(runs: tuple[Path, Path]):
    """Nearly every weight moved as in one process: the mean gradient has its direction, parameter by parameter."""
    alone, shared = (load_file(folder / "group" / "model.safetensors") for folder in runs)
    matrices = [name for name, weight in alone.items() if weight.ndim > 1 and "template" not in name]
    off = {name: ((shared[name] - alone[name]).abs() > 2e-7).float().mean().item() for name in matrices}

    assert len(matrices) > 50
    assert {name: share for name, share in off.items() if share > 0.05} == {}
