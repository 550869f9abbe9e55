"""Checkpoints on disk: whole, or refused with a reason."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from genren.errors import InputError
from genren.models import checkpoint
from genren.models.model import GenerativeRenderer
from genren.params import TrainParams


@pytest.fixture
def saved(tiny_params: TrainParams, tmp_path: Path) -> tuple[Path, GenerativeRenderer]:
    """A checkpoint of a random tiny model."""
    model = GenerativeRenderer(tiny_params.model)
    checkpoint.save(tmp_path / "model.safetensors", model, "cabinet", 3, 10, tiny_params)
    return tmp_path / "model.safetensors", model


def test_a_checkpoint_comes_back_whole(saved: tuple[Path, GenerativeRenderer], tiny_params: TrainParams):
    """Weights, category, seed, step and settings survive."""
    path, model = saved

    loaded = checkpoint.load(path, "cabinet", tiny_params)

    assert (loaded.category, loaded.seed, loaded.step, loaded.params) == ("cabinet", 3, 10, tiny_params)
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensor, loaded.model.state_dict()[name])


def test_the_same_model_is_the_same_bytes(
    saved: tuple[Path, GenerativeRenderer], tiny_params: TrainParams, tmp_path: Path
):
    """Two checkpoints of one state are one file: DVC and people compare them by their hash."""
    for i in range(5):
        checkpoint.save(tmp_path / f"{i}.safetensors", saved[1], "cabinet", 3, 10, tiny_params)
        assert (tmp_path / f"{i}.safetensors").read_bytes() == saved[0].read_bytes()


def test_another_category_is_refused(saved: tuple[Path, GenerativeRenderer]):
    """A chair is not measured with a cabinet's model."""
    with pytest.raises(InputError, match="is of category 'cabinet', expected 'chair'"):
        checkpoint.load(saved[0], "chair")


def test_another_preset_is_refused(saved: tuple[Path, GenerativeRenderer], tiny_params: TrainParams):
    """The first field that differs is named: the preset, then a network's size."""
    with pytest.raises(InputError, match=r"is of preset 'mini', params\.yaml says 'original'"):
        checkpoint.load(saved[0], expected=tiny_params.model_copy(update={"preset": "original"}))
    wider = tiny_params.model.model_copy(update={"dim_v": 7})
    with pytest.raises(InputError, match=r"train\.model\.dim_v 6, params\.yaml says 7"):
        checkpoint.load(saved[0], expected=tiny_params.model_copy(update={"model": wider}))


def test_broken_and_foreign_files_are_refused(saved: tuple[Path, GenerativeRenderer], tmp_path: Path):
    """Missing, truncated and someone else's files each get a sentence of their own."""
    with pytest.raises(InputError, match="does not exist; train one"):
        checkpoint.load(tmp_path / "none.safetensors")
    whole = saved[0].read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="cannot be read"):
        checkpoint.load(tmp_path / "cut.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "foreign.safetensors")
    save_file({"a": torch.zeros(1)}, tmp_path / "older.safetensors", metadata={"genren": '{"category": "chair"}'})
    for name, message in (("foreign", "does not say what it is"), ("older", r"lacks \['params', 'seed', 'step'")):
        with pytest.raises(InputError, match=message):
            checkpoint.load(tmp_path / f"{name}.safetensors")
