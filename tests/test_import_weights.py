"""The step `import-weights`: from a released file to a checkpoint that every command takes."""

import hashlib
from pathlib import Path

import pytest
import torch
from PIL import Image

from genren import paths
from genren.files import read_json
from genren.geometry.sphere import icosphere
from genren.import_weights import import_weights
from genren.models import checkpoint
from genren.models.model import GenerativeRenderer
from tests.conftest import Terminal, contents, preset
from tests.models.original import NARROW, fresh, names_of_the_original, same

# The store of the tests has images of 32 pixels; these networks take any size.
SMALL = {**NARROW, "img_size": 32}


@pytest.fixture
def model() -> GenerativeRenderer:
    """A narrow original of cabinets."""
    return fresh(preset("original", model=NARROW).model)


@pytest.fixture
def released(model: GenerativeRenderer, tmp_path: Path) -> Path:
    """Its state dict, as the original would have released it."""
    path = tmp_path / "cabinet.state_dict.pt"
    torch.save(names_of_the_original(model), path)
    return path


def test_a_released_file_becomes_a_checkpoint(model: GenerativeRenderer, released: Path, tmp_path: Path):
    """Its tensors, the category's option set, and where it came from; what differs from the set is said."""
    path, differing = import_weights(released, "cabinet", tmp_path / "out")

    loaded = checkpoint.load(path, "cabinet")

    assert tmp_path / "out" / "model.safetensors" == path
    assert same(model, loaded.model)
    assert loaded.params.model_copy(update={"model": model.params}) == preset("original", model=NARROW)
    assert (loaded.params.preset, loaded.seed, loaded.step) == ("original", 0, 0)
    assert f"cabinet.state_dict.pt, sha256 {hashlib.sha256(released.read_bytes()).hexdigest()}" == loaded.source
    assert loaded.model.camera.mirrored
    assert "train.model.dim_v is 6, 64 in the preset's set for cabinet" in differing
    assert len(NARROW) == len(differing)


def test_airplanes_get_the_planes_set(released: Path, tmp_path: Path):
    """Each category has its own option set: the planes' template is learned."""
    path, _ = import_weights(released, "airplane", tmp_path / "out")

    loaded = checkpoint.load(path, "airplane")

    assert loaded.params.model.learn_template
    assert "template_vertices" in dict(loaded.model.named_parameters())
    assert preset("original", "airplane").weights == loaded.params.weights


def test_the_commands_run_on_imported_weights(
    released: Path, project: Path, image: Path, tmp_path: Path, genren: Terminal
):
    """`eval`, `reconstruct` and `generate` take what `import-weights` wrote, on any template, and repeat themselves."""
    *_, wrote = genren("import-weights", released, "--category", "cabinet", "--out", tmp_path / "imported")
    path = tmp_path / "imported" / "model.safetensors"
    options = "--category", "cabinet", "--checkpoint", path
    Image.open(image).resize((64, 64)).save(image)

    meshes = genren("reconstruct", image, *options, "--out", tmp_path / "one")
    meshes += genren("generate", *options, "--count", 1, "--out", tmp_path / "one")
    genren("reconstruct", image, *options, "--out", tmp_path / "two")
    genren("generate", *options, "--count", 1, "--out", tmp_path / "two")

    assert f"wrote {path}" == wrote
    assert [str(tmp_path / "one" / name) for name in ("photo.glb", "000.glb")] == meshes
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_imported_weights_are_measured(project: Path, tmp_path: Path, genren: Terminal):
    """`eval` says where weights are from; the untrained baseline stands on the settings' template, not on theirs."""
    params = preset("original", model=SMALL)
    results = []
    for name, template in (("own", None), ("other", icosphere(3))):
        path = tmp_path / name / "model.safetensors"
        torch.manual_seed(1)
        model = GenerativeRenderer(params.model, template)
        checkpoint.save(path, model, "cabinet", 0, 0, params, source="a released file")
        genren("eval", "--category", "cabinet", "--checkpoint", path)
        results.append(read_json(tmp_path / name / "metrics.json"))

    assert results[1]["comparable"]["source"] == "a released file"
    assert results[0]["baselines"]["untrained"] == results[1]["baselines"]["untrained"]
    assert results[0]["metrics"] != results[1]["metrics"]
    assert not paths.metrics("cabinet", 0).exists()


def test_a_refused_file_writes_nothing(tmp_path: Path, genren: Terminal):
    """What is no state dict is one sentence, and no folder is made for it."""
    torch.save(torch.nn.Linear(2, 2), tmp_path / "whole.pt")

    line = genren.refusal("import-weights", tmp_path / "whole.pt", "--category", "cabinet", "--out", tmp_path / "out")

    assert "whole.pt holds pickled objects (torch.nn.modules.linear.Linear)" in line
    assert not (tmp_path / "out").exists()
