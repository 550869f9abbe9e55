"""Checkpoints on disk: whole, or refused with a reason."""

import json
import os
import pickle
import shutil
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from genren import __version__
from genren.errors import InputError
from genren.geometry.sphere import icosphere
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


def test_every_setting_that_differs_is_named(saved: tuple[Path, GenerativeRenderer], tiny_params: TrainParams):
    """Nested sections too, with what was found and expected; how the arithmetic is done does not count."""
    path, _ = saved
    weights = tiny_params.weights.model_copy(update={"vision": tiny_params.weights.vision | {"image_l1": 3}})
    optim = tiny_params.optim.model_copy(update={"lr": 0.5})
    engine = tiny_params.engine.model_copy(update={"device": "cpu", "channels_last": False})

    with pytest.raises(InputError) as caught:
        checkpoint.load(path, expected=tiny_params.model_copy(update={"weights": weights, "optim": optim}))
    checkpoint.load(path, expected=tiny_params.model_copy(update={"engine": engine, "checkpoint_every": 7}))

    assert str(caught.value) == (
        f"checkpoint {path} has train.optim.lr {tiny_params.optim.lr}, params.yaml says 0.5,"
        f" train.weights.vision.image_l1 {tiny_params.weights.vision['image_l1']}, params.yaml says 3; set what the"
        " checkpoint has, train again, or name the checkpoint with --checkpoint to take it as it is"
    )


def test_another_version_is_refused(saved: tuple[Path, GenerativeRenderer], tmp_path: Path):
    """What wrote the file and what reads it are named; the last number of a version does not matter."""
    newer, patch = "99.0.1", f"{__version__.rpartition('.')[0]}.99"
    for version in (newer, patch):
        rewrite(saved[0], tmp_path / f"{version}.safetensors", version=version)

    with pytest.raises(
        InputError, match=rf"written by version 99\.0\.1 of genren, this is {__version__}; use genren 99"
    ):
        checkpoint.load(tmp_path / f"{newer}.safetensors")
    assert checkpoint.load(tmp_path / f"{patch}.safetensors").code_version == patch


def test_settings_of_another_code_are_named(saved: tuple[Path, GenerativeRenderer], tmp_path: Path):
    """A key that this code does not know, or lacks, stands in the sentence, section and all."""
    params = header(saved[0])["params"]
    params["model"]["dim_w"] = params["model"].pop("dim_v")
    rewrite(saved[0], tmp_path / "other.safetensors", params=params)

    with pytest.raises(InputError, match=r"unknown key 'model\.dim_w'") as caught:
        checkpoint.load(tmp_path / "other.safetensors")
    assert "missing key 'model.dim_v'" in str(caught.value)
    assert f"written by genren {__version__}" in str(caught.value)


def test_tensors_that_do_not_fit_are_named(saved: tuple[Path, GenerativeRenderer], tmp_path: Path):
    """Missing, unknown and misshapen tensors each by name."""
    tensors = load_file(saved[0])
    del tensors["shape_head.bias"]
    tensors |= {"extra": torch.zeros(1), "shape_head.weight": torch.zeros(2, 3)}
    rewrite(saved[0], tmp_path / "bent.safetensors", tensors)

    with pytest.raises(InputError) as caught:
        checkpoint.load(tmp_path / "bent.safetensors")

    assert "does not fit its own settings: missing shape_head.bias; unknown extra; shape_head.weight is (2, 3)" in str(
        caught.value
    )


def test_a_checkpoint_carries_its_template(tiny_params: TrainParams, tmp_path: Path):
    """A model on another template than its settings describe comes back on it."""
    template = icosphere(3, radius=0.7)
    model = GenerativeRenderer(tiny_params.model, template)
    checkpoint.save(tmp_path / "a.safetensors", model, "cabinet", 0, 1, tiny_params, source="a file")

    loaded = checkpoint.load(tmp_path / "a.safetensors", "cabinet", tiny_params)

    assert torch.equal(template.vertices, loaded.model.template_vertices)
    assert torch.equal(template.face_uvs, loaded.model.template.face_uvs)
    assert loaded.source == "a file"
    assert loaded.model.decode(torch.zeros(1, 6)).vertices.shape == (1, 92, 3)


def test_nothing_is_unpickled(tmp_path: Path):
    """A pickle under a checkpoint's name is not run."""

    class Bomb:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "ran"),)

    (tmp_path / "bomb.safetensors").write_bytes(pickle.dumps(Bomb()))

    with pytest.raises(InputError, match="cannot be read"):
        checkpoint.load(tmp_path / "bomb.safetensors")
    assert not (tmp_path / "ran").exists()


def test_a_full_disk_keeps_the_old_checkpoint(small_disk: Path, tiny_params: TrainParams):
    """On a disk that is really full the write fails in a sentence, and the checkpoint before it still loads."""
    path = small_disk / "model.safetensors"
    checkpoint.save(path, GenerativeRenderer(tiny_params.model), "cabinet", 0, 1, tiny_params)
    before = path.read_bytes()
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 4096))

    with pytest.raises(InputError, match=r"the disk is full, .*model\.safetensors is what it was before"):
        checkpoint.save(path, GenerativeRenderer(tiny_params.model), "cabinet", 0, 2, tiny_params)

    assert path.read_bytes() == before
    assert checkpoint.load(path).step == 1
    assert sorted(p.name for p in small_disk.iterdir()) == ["filler", "model.safetensors"]


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


def header(path: Path) -> dict:
    """What a checkpoint says of itself."""
    with safe_open(path, framework="pt") as file:
        return json.loads(file.metadata()["genren"])


def rewrite(path: Path, to: Path, tensors: dict[str, torch.Tensor] | None = None, **changed: object) -> None:
    """Copy a checkpoint with other tensors or with changes in its header."""
    described = json.dumps(header(path) | changed)
    save_file(load_file(path) if tensors is None else tensors, to, metadata={"genren": described})
