"""Released weights: the numbers of the original's own networks, and files that are refused."""

import importlib.util
import math
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch
from torch import Tensor

from genren.errors import InputError
from genren.models.model import GenerativeRenderer
from genren.models.original import import_model, read_state_dict
from genren.params import ModelParams
from tests.conftest import ROOT, preset
from tests.models.original import NARROW, fresh, names_of_the_original, same

GOLDEN = Path(os.environ.get("GENREN_GOLDEN", ROOT.parent / "shared" / "golden" / "original_network_seed1.pt"))


@dataclass(frozen=True)
class Golden:
    """What the original computes, and the weights it did it with."""

    values: dict[str, dict[str, Tensor]]
    state: dict[str, Tensor]


@pytest.fixture(scope="module")
def golden() -> Golden:
    """The golden file that GENREN_GOLDEN names, and the weights that `fill_weights.py` beside it makes."""
    script = GOLDEN.parent / "fill_weights.py"
    if not (GOLDEN.is_file() and script.is_file()):
        pytest.skip(f"needs {GOLDEN.name} and {script.name} in one folder, which GENREN_GOLDEN names")
    values = torch.load(GOLDEN, weights_only=True)
    spec = importlib.util.spec_from_file_location("fill_weights", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return Golden(values, module.fill(values["manifest"], values["template"], values["seed"]))


@pytest.fixture(scope="module")
def cabinet() -> ModelParams:
    """Networks of the original's cabinets."""
    return preset("original", "cabinet").model


@pytest.fixture(scope="module")
def model(golden: Golden, cabinet: ModelParams) -> GenerativeRenderer:
    """The golden weights, imported."""
    return import_model(golden.state, cabinet, "the golden weights")


@torch.no_grad()
def _shape(model: GenerativeRenderer, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    shape = model.encode(inputs["points"], inputs["normals"])
    return {"v": shape.v, "delta": shape.delta, "canonical": shape.vertices}


@torch.no_grad()
def _pose(model: GenerativeRenderer, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    pose = model.generate_pose(inputs["xi_p"])
    return {"R": pose.rotation, "t": pose.translation[..., None]}


@torch.no_grad()
def _vision(model: GenerativeRenderer, inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    inferred = model.infer(inputs["image"])
    texture = model.hypothesis_textures(inferred)
    raw, _ = model.pose_heads(model.backbone(inputs["image"]))
    return {
        "v": inferred.shape.v,
        "delta": inferred.shape.delta,
        "canonical": inferred.shape.vertices,
        "r": raw[..., :3],
        "R": inferred.pose.rotation,
        "t": inferred.pose.translation[..., None],
        "probs": inferred.probabilities,
        "posed": inferred.posed,
        "xi_T": inferred.xi_t,
        "texture_image": texture.image.unflatten(0, inferred.probabilities.shape),
        "vertex_texture": texture.colors.unflatten(0, inferred.probabilities.shape),
    }


@pytest.mark.parametrize("program", [_shape, _pose, _vision])
def test_golden_values_are_met(program: Callable, golden: Golden, model: GenerativeRenderer):
    """Encoder, pose generator and image inference compute what the original's do, entry by entry, within 1e-4."""
    expected = golden.values[program.__name__[1:]]

    found = program(model, golden.values["inputs"])

    assert expected.keys() == found.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, atol=1e-4, rtol=0, msg=lambda text, name=name: f"{name}: {text}")


def test_golden_textures_are_met(golden: Golden, model: GenerativeRenderer):
    """The texture generator draws what the original's does, on the canonical meshes of its encoder."""
    with torch.no_grad():
        texture = model.texture(golden.values["inputs"]["xi_T"], golden.values["shape"]["canonical"])

    torch.testing.assert_close(texture.image, golden.values["texture"]["image"], atol=1e-4, rtol=0)
    torch.testing.assert_close(texture.colors, golden.values["texture"]["vertex"], atol=1e-4, rtol=0)


def test_golden_weights_are_of_the_preset(golden: Golden, model: GenerativeRenderer, cabinet: ModelParams):
    """What the tensors show is what preset `original` says: nothing differs, its camera's mirror included."""
    assert cabinet == model.params
    assert model.camera.mirrored
    assert not model.training
    assert torch.equal(golden.values["template"]["V"], model.template_vertices)


# The rest needs no golden file: a small model of ours, written as the original would have.


@pytest.fixture(scope="module")
def small() -> ModelParams:
    """Preset `original`, narrow."""
    return preset("original", model=NARROW).model


def test_golden_names_are_those_of_the_small_state_dict(golden: Golden, cabinet: ModelParams):
    """The names that the tests below start from are the original's own."""
    assert golden.state.keys() == names_of_the_original(GenerativeRenderer(cabinet)).keys()


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"dim_v": 9},
        {"subdivisions": 3},
        {"occlusion": True},
        {"texture_size": 32},
        {"rotation": "6d"},
        {"rotation": "quaternion", "hypotheses": 2},
        {"impulses": 3},
        {"translation_min": (-0.1, -0.2, -0.3)},
        {"learn_template": True},
    ],
)
def test_variants_are_seen_in_the_tensors(variant: dict, small: ModelParams, cabinet: ModelParams):
    """Sizes and options come from the file, whatever the preset says; what cannot be seen, from the preset."""
    model = fresh(small.model_copy(update=variant))
    unseen = {"learn_template": model.params.learn_template}

    imported = import_model(names_of_the_original(model), cabinet.model_copy(update=unseen), "a file")

    assert model.params == imported.params
    assert same(model, imported)


def test_a_template_of_any_order_comes_along(small: ModelParams):
    """Another numbering of the vertices is another template, and the weights belong to it."""
    model = fresh(small)
    order = torch.randperm(len(model.template_vertices))
    state = names_of_the_original(model)
    state["template_V"], state["C_uv"] = state["template_V"][order], state["C_uv"][:, :, order]
    state["template_F"] = order.argsort()[state["template_F"]]

    imported = import_model(state, small, "a file")

    assert torch.equal(state["template_V"], imported.template_vertices)
    assert torch.equal(state["template_F"], imported.template_faces)
    assert torch.equal(state["C_uv"][0, 0], imported.template_uv)
    # The same edges and seam, under other numbers.
    renamed = order[imported.template_edges].sort(dim=1).values.tolist()
    assert {tuple(edge) for edge in model.template_edges.tolist()} == {tuple(edge) for edge in renamed}
    assert torch.equal(model.template_face_uvs, imported.template_face_uvs)


def test_prefixes_of_parallel_training_do_not_matter(small: ModelParams, tmp_path: Path):
    """`module.` in front of everything, or behind the name of a network; files as PyTorch 1.4 wrote them, or now."""
    model = fresh(small)
    state = names_of_the_original(model)
    behind = {re.sub(r"^(\w+)\.", r"\1.module.", name): value for name, value in state.items()}
    for index, prefixed in enumerate([{f"module.{name}": value for name, value in state.items()}, behind]):
        path = tmp_path / f"{index}.state_dict.pt"
        torch.save(prefixed, path, _use_new_zipfile_serialization=index == 0)

        assert prefixed.keys() != state.keys()
        assert same(model, import_model(read_state_dict(path), small, str(path)))


def test_a_pickled_model_is_refused_and_not_run(small: ModelParams, tmp_path: Path):
    """What can run code is answered with what is expected instead."""

    class Bomb:
        def __reduce__(self) -> tuple:
            return os.mkdir, (str(tmp_path / "ran"),)

    for name, value in (("model", GenerativeRenderer(small)), ("bomb", {"a": Bomb()})):
        torch.save(value, tmp_path / f"{name}.pt")
        with pytest.raises(InputError, match=r"holds pickled objects .* not loaded; expected a state dict"):
            read_state_dict(tmp_path / f"{name}.pt")
    assert not (tmp_path / "ran").exists()


def test_files_that_are_no_state_dict_are_refused(tmp_path: Path):
    """Missing, damaged, of another kind, or with broken numbers: one sentence each."""
    torch.save({"weight": torch.zeros(1000)}, tmp_path / "whole.pt")
    (tmp_path / "cut.pt").write_bytes((tmp_path / "whole.pt").read_bytes()[:1500])
    (tmp_path / "text.pt").write_text("404: Not Found")
    torch.save([torch.zeros(1)], tmp_path / "list.pt")
    torch.save({"epoch": 3}, tmp_path / "other.pt")
    torch.save({"a.weight": torch.tensor([1.0, math.nan])}, tmp_path / "nan.pt")
    for name, message in (
        ("none", "does not exist; expected a state dict"),
        ("cut", "is damaged or was not written by PyTorch"),
        ("text", "is damaged or was not written by PyTorch"),
        ("list", "holds no tensors by name but a list"),
        ("other", "holds no tensors by name but a dict"),
        ("nan", "values that are not finite in a.weight"),
    ):
        with pytest.raises(InputError, match=message):
            read_state_dict(tmp_path / f"{name}.pt")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"template_V": None, "C_uv": None}, "a file lacks template_V, C_uv; expected"),
        (
            {"prob_inferrer.0.1.bias": None},
            r"does not fit the original's networks: missing pose_heads\.logits\.3\.bias",
        ),
        (
            {"prob_inferrer.0.1.weight": torch.zeros(4, 7)},
            r"pose_heads\.logits\.3\.weight is \(4, 7\), expected \(4, 128\)",
        ),
        ({"lat_deformation_inferrer.0.0.weight": None}, r"it lacks what is shape_head\.weight here"),
        ({"discriminator.0.weight": torch.zeros(1)}, r"not of the original's networks, .* discriminator\.0\.weight"),
        ({"template_F": torch.zeros(4, 3, dtype=torch.int64)}, "the template of a file has .* vertices without a face"),
        ({"template_V": torch.zeros(4, 2)}, r"has a template of the shapes template_V \(4, 2\)"),
        ({"pre_pose_decoder.0.1.weight": torch.zeros(11, 64)}, r"poses of 11 numbers, expected one of \[6, 7, 9\]"),
        ({"lat_texture_inferrer.pixunproj_processor.0.0.f.0.weight": torch.zeros(16, 43)}, "reads 1 values per vertex"),
    ],
)
def test_tensors_that_do_not_fit_are_named(change: dict[str, Tensor | None], message: str, small: ModelParams):
    """A file that is not of these networks says which tensor gives it away."""
    state = names_of_the_original(fresh(small)) | change

    with pytest.raises(InputError, match=message):
        import_model({name: value for name, value in state.items() if value is not None}, small, "a file")
