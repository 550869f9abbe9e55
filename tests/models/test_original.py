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


# The rest needs no golden file: the original's names, from a small model of ours, backwards.


def names_of_the_original(model: GenerativeRenderer) -> dict[str, Tensor]:
    """The state dict that the original would have written for a model."""
    backwards = [
        (r"pose_heads\.logits\.(\d+)", "prob_inferrer.0"),
        (r"pose_heads\.pose\.(\d+)", "lat_pose_inferrer.0"),
        (r"texture_inference\.shape\.(\d+)", "lat_texture_inferrer.v_preproc.0"),
        (r"texture_inference\.pixels\.(\d+)", "lat_texture_inferrer.pixunproj_processor.0"),
        (r"texture_inference\.joint\.(\d+)", "lat_texture_inferrer.hyp_generator.0"),
        (r"deformation\.layers\.(\d+)", "deformation_decoder_network.0"),
        (r"mesh_conditioning\.layers\.(\d+)", "M_reducer.1.0"),
        (r"pose_generator\.layers\.(\d+)", "pre_pose_decoder.0"),
    ]
    block = {"conv1": "c1", "conv2": "c2", "norm1": "b1", "norm2": "b2", "shortcut": "c_sc"}
    ours = model.state_dict()
    last = {m[1] + m[2] for k in ours for m in [re.fullmatch(r"(.*\.)(\d+)\.weight", k)] if m}
    state = {}
    for name in ours:
        value = ours[name]
        module, _, leaf = name.rpartition(".")
        theirs = None
        for pattern, place in backwards:
            if match := re.fullmatch(pattern, module):
                layer, rest = divmod(int(match[1]), 3)
                prefix = module.rpartition(".")[0] + "."
                plain = rest == 0 and f"{prefix}{int(match[1]) + 1}" not in last
                theirs = f"{place}.{layer}" + ("" if plain else f".f.{rest}")
        if match := re.fullmatch(r"backbone\.stages\.(\d)\.(.*)", module):
            part = match[2].replace("norm", "bn").replace("shortcut", "downsample")
            theirs = f"backbone_inference_network.0.layer{int(match[1]) // 2 + 1}.{int(match[1]) % 2}.{part}"
        if match := re.fullmatch(r"shape_encoder\.points\.(\d+)", module):
            stack, index = divmod(int(match[1]), 6)
            theirs = f"mesh_template_pert_inferrer.f.f.mlp{stack + 1}.{index}"
            value = value[..., None] if value.ndim == 2 else value
        if match := re.fullmatch(r"shape_encoder\.head\.(\d+)", module):
            theirs = f"mesh_template_pert_inferrer.f.f.mlp3.{match[1]}"
        if match := re.fullmatch(r"texture_generator\.blocks\.(\d)\.(\w+)", module):
            theirs = f"texture_decoder.block{int(match[1]) + 2}.{block[match[2]]}"
        blocks = int(math.log2(model.params.texture_size // 4))
        theirs = theirs or {
            "backbone.stem.0": "backbone_inference_network.0.conv1",
            "backbone.stem.1": "backbone_inference_network.0.bn1",
            "backbone.out.0": "backbone_inference_network.0.fc",
            "backbone.out.1": "backbone_inference_network.1",
            "shape_head": "lat_deformation_inferrer.0.0",
            "shape_encoder.out": "mesh_template_pert_inferrer.f.f.fc",
            "texture_generator.first": "texture_decoder.l1",
            "texture_generator.last.0": f"texture_decoder.b{blocks + 2}",
            "texture_generator.last.2": f"texture_decoder.c{blocks + 2}",
        }.get(module)
        if theirs:
            state[f"{theirs}.{leaf}"] = value.clone()
    template = model.template
    return state | {
        "template_V": template.vertices.clone(),
        "template_F": template.faces,
        "template_E": torch.zeros(6 * len(template.vertices), 2, dtype=torch.int64),
        "lat_texture_inferrer.template_faces": template.faces,
        "C_uv": template.uv[None, None],
        "t_mins": torch.tensor(model.params.translation_min),
        "t_maxs": torch.tensor(model.params.translation_max),
        "random_pixels": torch.rand(17, 3),
    }


@pytest.fixture(scope="module")
def small() -> ModelParams:
    """Preset `original`, narrow."""
    narrow = {
        "subdivisions": 2,
        "deformation_hidden": [8],
        "dim_v": 6,
        "dim_xi_t": 5,
        "dim_xi_p": 4,
        "dim_embedding": 16,
        "point_width": 4,
        "backbone_width": 4,
        "texture_hidden": [16, 12, 8],
        "texture_width": 16,
        "conditioning_hidden": [8, 8],
    }
    return preset("original", model=narrow).model


def fresh(params: ModelParams) -> GenerativeRenderer:
    """A random model in evaluation mode."""
    torch.manual_seed(0)
    return GenerativeRenderer(params).eval()


def same(one: GenerativeRenderer, other: GenerativeRenderer) -> bool:
    """Whether all tensors of two models agree."""
    mine, yours = one.state_dict(), other.state_dict()
    return mine.keys() == yours.keys() and all(torch.equal(mine[name], yours[name]) for name in mine)


def test_golden_names_are_those_of_the_small_state_dict(golden: Golden, cabinet: ModelParams):
    """The names that the tests below start from are the original's own."""
    assert golden.state.keys() == names_of_the_original(GenerativeRenderer(cabinet)).keys()


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"dim_v": 9},
        {"occlusion": True},
        {"texture_size": 32},
        {"rotation": "6d"},
        {"rotation": "quaternion", "hypotheses": 2},
        {"impulses": 3},
        {"translation_min": (-0.1, -0.2, -0.3)},
        {"learn_template": True},
    ],
)
def test_variants_are_seen_in_the_tensors(variant: dict, small: ModelParams):
    """Sizes and options come from the file, whatever the preset says; what cannot be seen, from the preset."""
    model = fresh(small.model_copy(update=variant))
    believed = small if "learn_template" not in variant else model.params

    imported = import_model(names_of_the_original(model), believed, "a file")

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
