"""The original's released files, made from a small model of ours: the renaming of the import, backwards."""

import math
import re

import torch
from torch import Tensor

from genren.models.model import GenerativeRenderer
from genren.params import ModelParams

# Widths that make an original of milliseconds.
NARROW = {
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


def fresh(params: ModelParams) -> GenerativeRenderer:
    """A random model in evaluation mode."""
    torch.manual_seed(0)
    return GenerativeRenderer(params).eval()


def same(one: GenerativeRenderer, other: GenerativeRenderer) -> bool:
    """Whether all tensors of two models agree."""
    mine, yours = one.state_dict(), other.state_dict()
    return mine.keys() == yours.keys() and all(torch.equal(mine[name], yours[name]) for name in mine)


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
