"""Kaolin's back end: what it is handed, what is said without it, and on a GPU that its numbers are ours."""

import sys
from itertools import product
from types import ModuleType
from typing import Any

import pytest
import torch

from genren.render import dibr_rasterization, kaolin, rasterize

from .scenes import random_faces, sphere


def test_tensors_on_the_cpu_are_refused():
    """Kaolin's kernels are CUDA's."""
    depth, image, features = random_faces(1, 5, dtype=torch.float32)

    with pytest.raises(ValueError, match="back end 'kaolin' needs tensors on CUDA, got cpu; 'auto' works everywhere"):
        rasterize(8, 8, depth, image, features, backend="kaolin")
    with pytest.raises(ValueError, match="back end 'nvdiffrast' needs tensors on CUDA"):
        dibr_rasterization(8, 8, depth, image, features, torch.ones(1, 5), rast_backend="nvdiffrast")


def test_a_missing_kaolin_is_explained(monkeypatch: pytest.MonkeyPatch):
    """One sentence: what is missing, how to get it, what works without."""
    monkeypatch.setitem(sys.modules, "kaolin", None)
    monkeypatch.setattr(kaolin, "_require_cuda", lambda tensor, backend: None)
    depth, image, features = random_faces(1, 5, dtype=torch.float32)

    with pytest.raises(
        RuntimeError, match=r"'kaolin' needs NVIDIA's kaolin, .* `genren doctor` says how .* 'auto' does"
    ):
        rasterize(8, 8, depth, image, features, backend="kaolin")


def test_the_whole_call_is_handed_over(monkeypatch: pytest.MonkeyPatch):
    """Every argument reaches Kaolin's function under its own name for the back end, and its answer comes back."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    mesh = ModuleType("kaolin.render.mesh")
    mesh.dibr_rasterization = lambda *a, **k: calls.append((a, k)) or "drawn"  # type: ignore[attr-defined]
    mesh.rasterize = lambda *a, **k: calls.append((a, k)) or "drawn"  # type: ignore[attr-defined]
    render, package = ModuleType("kaolin.render"), ModuleType("kaolin")
    render.mesh, package.render = mesh, render  # type: ignore[attr-defined]
    for name, module in (("kaolin", package), ("kaolin.render", render), ("kaolin.render.mesh", mesh)):
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(kaolin, "_require_cuda", lambda tensor, backend: None)
    depth, image, features = random_faces(1, 5, dtype=torch.float32)
    normals = torch.ones(1, 5)

    drawn = dibr_rasterization(8, 9, depth, image, [features], normals, 70, 0.1, 20, 10, 1e-6, rast_backend="kaolin")
    rasterize(8, 9, depth, image, features, None, 10, 1e-6, backend="nvdiffrast_fwd")

    assert drawn == "drawn"
    assert calls[0] == ((8, 9, depth, image, [features], normals, 70, 0.1, 20, 10, 1e-6), {"rast_backend": "cuda"})
    assert calls[1] == ((8, 9, depth, image, features, None, 10, 1e-6), {"backend": "nvdiffrast_fwd"})


@pytest.mark.gpu
def test_numbers_are_kaolins():
    """Where Kaolin and a GPU are: colours, mask, face indices and gradients of the two back ends agree."""
    pytest.importorskip("kaolin.render.mesh", reason="needs NVIDIA's kaolin")
    for subdivisions, size, batch, knum in product((5, 10, 32, 100), (64, 128, 250), (1, 4), (30, 300)):
        depth, image, features = sphere(batch, subdivisions, "cuda")
        normals = torch.ones(depth.shape[:2], device="cuda")
        results = []
        for backend in ("warp", "kaolin"):
            corners, colors = image.clone().requires_grad_(), features.clone().requires_grad_()
            drawn, mask, face_idx = dibr_rasterization(
                size, size, depth, corners, colors, normals, knum=knum, rast_backend=backend
            )
            gradients = torch.autograd.grad(drawn.square().mean() + mask.square().mean(), (corners, colors))
            results.append((face_idx, drawn, mask, *gradients))

        # Fused multiplications may place a pixel centre that lies on an edge in the other face.
        same = results[0][0] == results[1][0]
        assert same.double().mean() > 0.999
        torch.testing.assert_close(results[0][1][same], results[1][1][same], atol=1e-4, rtol=1e-4)
        assert ((results[0][2] - results[1][2]).abs() > 1e-4).double().mean() < 1e-3
        for ours, theirs in zip(results[0][3:], results[1][3:], strict=True):
            assert (ours - theirs).norm() < 2e-3 * theirs.norm()
