"""The original's released weights: its state dicts in this project's words (method: 1.5).

The tensors are the same but for their names and for the point encoder's 1x1 convolutions, which are linear layers here.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genren.errors import InputError
from genren.geometry.rotations import CODE_SIZES
from genren.geometry.sphere import Template, across_seam, edges_and_faces, sphere_uv
from genren.geometry.template import check_closed
from genren.models.checkpoint import misfits, shortened
from genren.models.model import GenerativeRenderer
from genren.params import ModelParams, parse

# Perceptrons there and here; there, layer n is `n.f.0` with its norm `n.f.1`, or `n` where it is the last and plain.
PERCEPTRONS = {
    "prob_inferrer.0": "pose_heads.logits",
    "lat_pose_inferrer.0": "pose_heads.pose",
    "lat_texture_inferrer.v_preproc.0": "texture_inference.shape",
    "lat_texture_inferrer.pixunproj_processor.0": "texture_inference.pixels",
    "lat_texture_inferrer.hyp_generator.0": "texture_inference.joint",
    "deformation_decoder_network.0": "deformation.layers",
    "M_reducer.1.0": "mesh_conditioning.layers",
    "pre_pose_decoder.0": "pose_generator.layers",
}
SINGLE = {
    "backbone_inference_network.0.conv1": "backbone.stem.0",
    "backbone_inference_network.0.bn1": "backbone.stem.1",
    "backbone_inference_network.0.fc": "backbone.out.0",
    "backbone_inference_network.1": "backbone.out.1",
    "lat_deformation_inferrer.0.0": "shape_head",
    "texture_decoder.l1": "texture_generator.first",
    "mesh_template_pert_inferrer.f.f.fc": "shape_encoder.out",
}
# Where the point encoder's three stacks begin in ours.
POINT_ENCODER = {"mlp1": ("points", 0), "mlp2": ("points", 6), "mlp3": ("head", 0)}
PARTS = {"conv1": "conv1", "conv2": "conv2", "bn1": "norm1", "bn2": "norm2", "downsample": "shortcut"}
PARTS |= {"c1": "conv1", "c2": "conv2", "b1": "norm1", "b2": "norm2", "c_sc": "shortcut"}


def _residual_block(stage: str, block: str, part: str, index: str | None) -> str:
    return f"backbone.stages.{2 * int(stage) - 2 + int(block)}.{PARTS[part]}" + (f".{index}" if index else "")


def _point_layer(stack: str, index: str) -> str:
    place, first = POINT_ENCODER[stack]
    return f"shape_encoder.{place}.{first + int(index)}"


# Patterns of the original's names, and ours from their groups.
RULES: list[tuple[str, Callable[..., str]]] = [
    (rf"{re.escape(theirs)}\.(\d+)(?:\.f\.([01]))?", lambda n, k, ours=ours: f"{ours}.{3 * int(n) + int(k or 0)}")
    for theirs, ours in PERCEPTRONS.items()
]
RULES += [
    (
        r"backbone_inference_network\.0\.layer([1-4])\.([01])\.(conv[12]|bn[12]|downsample)(?:\.([01]))?",
        _residual_block,
    ),
    (r"mesh_template_pert_inferrer\.f\.f\.(mlp[123])\.(\d+)", _point_layer),
    (
        r"texture_decoder\.block(\d)\.([cb][12]|c_sc)",
        lambda n, part: f"texture_generator.blocks.{int(n) - 2}.{PARTS[part]}",
    ),
    (r"texture_decoder\.([bc])\d", lambda part: f"texture_generator.last.{'bc'.index(part) * 2}"),
]

# Read apart from the networks: the template, and the bounds of translations.
APART = ("template_V", "template_F", "C_uv", "t_mins", "t_maxs")
# Not needed: edges follow from the faces; the pool of random colours, of any length, from the data.
UNUSED = re.compile(r"template_E|random_pixels|\w+\.template_faces")


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors of an original `*.state_dict.pt` by name, without the `module` that data-parallel training puts in.

    Nothing but tensors is unpickled. Raises InputError for a missing or damaged file, a pickled model, and values that
    are not finite.
    """
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a state dict of the original, *.state_dict.pt")
    try:
        found: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file may fail in any way
        if name := re.search(r"GLOBAL (\S+)", str(error)):
            raise InputError(
                f"{path} holds pickled objects ({name[1]}), such as a whole model, which could run any code and are not"
                " loaded; expected a state dict, *.state_dict.pt"
            ) from None
        reason = type(error).__name__  # its message advises to load the file unsafely
        raise InputError(f"{path} is damaged or was not written by PyTorch ({reason}); download it again") from None
    if not isinstance(found, dict) or not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise InputError(f"{path} holds no tensors by name but a {type(found).__name__}; expected a state dict")
    state = {".".join(part for part in str(name).split(".") if part != "module"): v for name, v in found.items()}
    broken = [name for name, value in state.items() if not value.isfinite().all()]
    if broken:
        raise InputError(f"{path} has values that are not finite in {shortened(broken)}; download it again")
    return {name: value.float() if value.is_floating_point() else value for name, value in state.items()}


def import_model(state: dict[str, Tensor], params: ModelParams, origin: str) -> GenerativeRenderer:
    """The model of an original's state dict, in evaluation mode, on its own template.

    Sizes and variants are the tensors', whatever `params` say; the rest is theirs. Raises InputError, which names
    `origin`, for tensors that are missing, unknown, or of shapes that do not fit together.
    """
    missing = [name for name in APART if name not in state]
    if missing:
        raise InputError(f"{origin} lacks {shortened(missing)}; expected the state dict of an original's whole model")
    template = _template(state, origin)
    tensors, unknown = {}, []
    for name, value in state.items():
        if name in APART or UNUSED.fullmatch(name):
            continue
        module, _, leaf = name.rpartition(".")
        ours = _module(module)
        if ours is None:
            unknown.append(name)
        # A 1x1 convolution over points is a linear layer over rows.
        tensors[f"{ours}.{leaf}"] = value[..., 0] if value.ndim == 3 else value
    if unknown:
        raise InputError(
            f"{origin} has tensors that are not of the original's networks, or of a variant that is not supported:"
            f" {shortened(unknown)}"
        )
    model = GenerativeRenderer(_measured(tensors, state, params, origin), template)
    tensors |= {name: value for name, value in model.state_dict().items() if name.startswith("template_")}
    problem = misfits(model, tensors)
    if problem:
        raise InputError(f"{origin} does not fit the original's networks: {problem}")
    model.load_state_dict(tensors)
    return model.eval()


def _module(name: str) -> str | None:
    """A module of ours by its name in the original."""
    if name in SINGLE:
        return SINGLE[name]
    for pattern, renamed in RULES:
        if match := re.fullmatch(pattern, name):
            return renamed(*match.groups())
    return None


def _template(state: dict[str, Tensor], origin: str) -> Template:
    """The template that a state dict carries, in its own order of vertices."""
    vertices, faces, uv = state["template_V"], state["template_F"], state["C_uv"].reshape(-1, 2)
    if (
        vertices.ndim != 2
        or vertices.shape[1] != 3
        or faces.ndim != 2
        or faces.shape[1] != 3
        or len(uv) != len(vertices)
    ):
        shapes = ", ".join(f"{name} {tuple(state[name].shape)}" for name in APART[:3])
        raise InputError(f"{origin} has a template of the shapes {shapes}; expected (V, 3), (F, 3) and (1, 1, V, 2)")
    faces = faces.long()
    check_closed(faces, len(vertices), f"the template of {origin}")
    unit = torch.nn.functional.normalize(vertices, dim=1)
    sphere = torch.allclose(sphere_uv(unit), uv, atol=1e-4)
    corners = across_seam(unit, uv, faces) if sphere else uv[faces]
    return Template(vertices, faces, *edges_and_faces(faces), uv, corners)


def _measured(tensors: dict[str, Tensor], state: dict[str, Tensor], params: ModelParams, origin: str) -> ModelParams:
    """`params` with the sizes and variants that the tensors have."""

    def shape(name: str) -> tuple[int, ...]:
        if name not in tensors:
            raise InputError(f"{origin} does not fit the original's networks: it lacks what is {name} here")
        return tuple(tensors[name].shape)

    def rows(name: str) -> list[int]:
        """Outputs of a perceptron's linear layers."""
        layers = [shape(key)[0] for key, value in tensors.items() if key.startswith(f"{name}.") and value.ndim == 2]
        return layers or [shape(f"{name}.0.weight")[0]]

    vertices = len(state["template_V"])
    codes = {size + 3: kind for kind, size in CODE_SIZES.items()}
    code = rows("pose_generator.layers")[-1]
    if code not in codes:
        raise InputError(f"{origin} generates poses of {code} numbers, expected one of {sorted(codes)}")
    blocks = {name.split(".")[2] for name in tensors if name.startswith("texture_generator.blocks.")}
    values, spare = divmod(shape("texture_inference.pixels.0.weight")[1], vertices)
    if spare or values not in (4, 5):
        raise InputError(f"{origin} reads {values} values per vertex of its template, expected 4, or 5 with occlusion")
    deformation = rows("deformation.layers")
    *joint, dim_xi_t = rows("texture_inference.joint")
    found = {
        "dim_v": shape("shape_head.weight")[0],
        "dim_embedding": shape("shape_head.weight")[1],
        "dim_xi_t": dim_xi_t,
        "dim_xi_p": shape("pose_generator.layers.0.weight")[1],
        "hypotheses": rows("pose_heads.logits")[-1],
        "rotation": codes[code],
        "impulses": deformation[-1] // (3 * vertices),
        "deformation_hidden": deformation[:-1],
        "point_width": shape("shape_encoder.points.0.weight")[0],
        "backbone_width": shape("backbone.stem.0.weight")[0],
        "texture_hidden": [*rows("texture_inference.pixels"), *joint],
        "occlusion": values == 5,
        "texture_size": 4 * 2 ** len(blocks),
        "texture_width": shape("texture_generator.first.weight")[0] // 16,
        "conditioning_hidden": rows("mesh_conditioning.layers"),
        "translation_min": _rounded(state["t_mins"]),
        "translation_max": _rounded(state["t_maxs"]),
    }
    subdivisions = round(max(vertices - 2, 10) / 10) ** 0.5
    if params.template == "sphere" and subdivisions.is_integer():
        found["subdivisions"] = int(subdivisions)
    return parse(ModelParams, params.model_dump() | found, origin)


def _rounded(values: Tensor) -> list[float]:
    """Decimal numbers that were stored as float32, without its digits beyond the sixth."""
    return [round(value, 6) for value in values.tolist()]
