"""Mistakes in the operator's arguments: a ValueError names the argument, what it is and what it should be."""

from typing import Any

import pytest
import torch

from genren.render import dibr_rasterization, dibr_soft_mask, rasterize

F64, F16 = torch.float64, torch.float16


def scene(**changed: Any) -> dict[str, Any]:
    """Arguments of `rasterize` that work, but for the changed ones."""
    return {
        "height": 8,
        "width": 8,
        "face_vertices_z": -torch.ones(2, 5, 3),
        "face_vertices_image": torch.zeros(2, 5, 3, 2),
        "face_features": torch.zeros(2, 5, 3, 1),
        "valid_faces": torch.ones(2, 5, dtype=torch.bool),
    } | changed


def spoiled(tensor: torch.Tensor, place: tuple[int, ...], value: float) -> torch.Tensor:
    """The tensor with one number replaced."""
    tensor = tensor.clone()
    tensor[place] = value
    return tensor


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"height": 0}, "height must be at least 1 pixel, got 0"),
    ({"width": -3}, "width must be at least 1 pixel, got -3"),
    ({"face_vertices_z": torch.ones(2, 5)}, r"face_vertices_z must be \(B, F, 3\) with F at least 1, got \(2, 5\)"),
    ({"face_vertices_z": torch.ones(2, 0, 3)}, r"face_vertices_z must be .*, got \(2, 0, 3\)"),
    (
        {"face_vertices_z": torch.ones(2, 5, 3, dtype=F16)},
        r"face_vertices_z must be float32 or float64, got torch.float16",
    ),
    (
        {"face_vertices_z": torch.ones(2, 5, 3, dtype=int)},
        r"face_vertices_z must be float32 or float64, got torch.int64",
    ),
    (
        {"face_vertices_image": torch.ones(2, 4, 3, 2)},
        r"face_vertices_image must be \(2, 5, 3, 2\), got \(2, 4, 3, 2\)",
    ),
    (
        {"face_vertices_image": torch.ones(2, 5, 3, 3)},
        r"face_vertices_image must be \(2, 5, 3, 2\), got \(2, 5, 3, 3\)",
    ),
    (
        {"face_vertices_image": torch.ones(2, 5, 3, 2, dtype=F64)},
        r"face_vertices_image must be torch.float32, got .*64",
    ),
    ({"face_vertices_image": torch.ones(2, 5, 3, 2, device="meta")}, "face_vertices_image must be on cpu, got meta"),
    ({"face_features": torch.ones(1, 5, 3, 4)}, r"face_features must be \(2, 5, 3, D\) with D at least 1, got \(1, 5,"),
    ({"face_features": torch.ones(2, 5, 3, 0)}, r"face_features must be .*, got \(2, 5, 3, 0\)"),
    ({"face_features": torch.ones(2, 5, 3, 1, dtype=F64)}, r"face_features must be torch.float32, got torch.float64"),
    ({"face_features": torch.ones(2, 5, 3, 1, device="meta")}, "face_features must be on cpu, got meta"),
    ({"face_features": []}, "face_features must hold at least one tensor, got an empty list"),
    ({"face_features": [torch.ones(2, 5, 3, 1), torch.ones(2, 4, 3, 1)]}, r"face_features\[1\] must be \(2, 5, 3, D\)"),
    (
        {"face_features": [torch.ones(2, 5, 3, 1), torch.ones(2, 5, 3, 1, dtype=F64)]},
        r"face_features\[1\] must be .*32",
    ),
    ({"valid_faces": torch.ones(2, 6, dtype=torch.bool)}, r"valid_faces must be \(2, 5\), got \(2, 6\)"),
    ({"valid_faces": torch.ones(2, 5)}, "valid_faces must be bool, got torch.float32"),
    ({"valid_faces": torch.ones(2, 5, dtype=torch.bool, device="meta")}, "valid_faces must be on cpu, got meta"),
    ({"multiplier": 0}, "multiplier must be finite and above 0, got 0"),
    ({"multiplier": float("nan")}, "multiplier must be finite and above 0, got nan"),
    ({"eps": -1e-8}, "eps must be finite and at least 0, got -1e-08"),
    ({"backend": "opengl"}, "backend must be one of auto, warp, kaolin, cuda, .*, got 'opengl'"),
    (
        {"face_vertices_image": spoiled(torch.zeros(2, 5, 3, 2), (1, 2, 0, 1), float("nan"))},
        "face_vertices_image must be finite, got nan or infinity in mesh 1, face 2",
    ),
    (
        {"face_vertices_z": spoiled(torch.zeros(2, 5, 3), (0, 4, 2), float("inf"))},
        "face_vertices_z must be finite, got nan or infinity in mesh 0, face 4",
    ),
]


@pytest.mark.parametrize(("changed", "message"), WRONG, ids=[message[:40] for _, message in WRONG])
def test_rasterize_names_what_is_wrong(changed: dict[str, Any], message: str):
    """Shapes, types, devices, ranges, back ends and numbers that are none."""
    with pytest.raises(ValueError, match=message):
        rasterize(**scene(**changed))


WRONG_MASK: list[tuple[dict[str, Any], str]] = [
    ({"face_vertices_image": torch.ones(2, 5, 3)}, r"face_vertices_image must be \(B, F, 3, 2\) .*, got \(2, 5, 3\)"),
    ({"face_vertices_image": torch.ones(2, 0, 3, 2)}, r"face_vertices_image must be .*, got \(2, 0, 3, 2\)"),
    ({"face_vertices_image": torch.ones(2, 5, 3, 2, dtype=F16)}, "face_vertices_image must be float32 or float64"),
    ({"face_vertices_image": torch.full((2, 5, 3, 2), float("inf"))}, "face_vertices_image must be finite"),
    ({"selected_face_idx": torch.zeros(2, 8, dtype=int)}, r"selected_face_idx must be \(2, H, W\), got \(2, 8\)"),
    ({"selected_face_idx": torch.zeros(3, 8, 8, dtype=int)}, r"selected_face_idx must be \(2, H, W\), got \(3, 8, 8\)"),
    ({"selected_face_idx": torch.zeros(2, 0, 8, dtype=int)}, r"selected_face_idx must be .*, got \(2, 0, 8\)"),
    ({"selected_face_idx": torch.zeros(2, 8, 8)}, "selected_face_idx must be int64, got torch.float32"),
    (
        {"selected_face_idx": torch.zeros(2, 8, 8, dtype=int, device="meta")},
        "selected_face_idx must be on cpu, got meta",
    ),
    ({"sigmainv": 0}, "sigmainv must be finite and above 0, got 0"),
    ({"boxlen": -0.1}, "boxlen must be finite and at least 0, got -0.1"),
    ({"boxlen": float("inf")}, "boxlen must be finite and at least 0, got inf"),
    ({"knum": 0}, "knum must be at least 1, got 0"),
    ({"multiplier": -1}, "multiplier must be finite and above 0, got -1"),
]


@pytest.mark.parametrize(("changed", "message"), WRONG_MASK, ids=[message[:40] for _, message in WRONG_MASK])
def test_the_soft_mask_names_what_is_wrong(changed: dict[str, Any], message: str):
    """Shapes, types, devices, ranges, and numbers that are none."""
    arguments = {
        "face_vertices_image": torch.zeros(2, 5, 3, 2),
        "selected_face_idx": torch.full((2, 8, 8), -1),
    } | changed

    with pytest.raises(ValueError, match=message):
        dibr_soft_mask(**arguments)


def test_normals_that_do_not_fit_are_named():
    """One normal per face."""
    s = scene()
    del s["valid_faces"]

    with pytest.raises(ValueError, match=r"face_normals_z must be \(2, 5\), got \(2, 4\)"):
        dibr_rasterization(**s, face_normals_z=torch.ones(2, 4))


def test_half_precision_outside_autocast_is_refused():
    """Nobody gets geometry in half precision unasked."""
    s = {
        name: value.half() if torch.is_tensor(value) and value.is_floating_point() else value
        for name, value in scene().items()
    }

    with pytest.raises(ValueError, match="face_vertices_z must be float32 or float64"):
        rasterize(**s)
