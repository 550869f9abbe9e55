"""Time of the operator, forward and backward, beside the brute force of the tests and other rasterisers.

Run by `make bench`; `python -m tests.benchmarks.table FILE` turns its JSON into the table of `docs/renderer.md`.
"""

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from genren.render import dibr_rasterization
from tests.render.reference import reference_rasterize, reference_soft_mask
from tests.render.scenes import sphere

CUDA = torch.cuda.is_available()
DEVICE = "cuda" if CUDA else "cpu"

# Subdivisions of the sphere: 500, 2,000, 20,480 and 200,000 faces.
MESHES = {500: 5, 2000: 10, 20480: 32, 200000: 100}
SIZES = (64, 128, 256, 1024)
BATCHES = (1, 8, 64, 320)

# A CPU core walks some ten million faces and pixels a second, forward and backward; memory is for the worst of ours.
CPU_FACES_AND_PIXELS = 6_000_000
CUDA_BYTES = 60 << 30


def step(draw: Callable[..., Any], batch: int, size: int, faces: int, shift: float = 0) -> Callable[[], None]:
    """One forward and backward pass of `draw` on spheres: three features, the defaults of Kaolin."""
    depth, image, features = sphere(batch, MESHES[faces], DEVICE)
    image = (image + shift).requires_grad_()
    features.requires_grad_()
    normals = torch.ones_like(depth[..., 0])

    def run() -> None:
        image.grad = features.grad = None
        drawn, mask, _ = draw(size, size, depth, image, features, normals)
        (drawn.sum() + mask.sum()).backward()
        if CUDA:
            torch.cuda.synchronize()

    return run


def brute_force(height: int, width: int, z: Tensor, image: Tensor, features: Tensor, normals: Tensor) -> Any:
    """The definition, vectorised over faces and pixels."""
    drawn, face_idx = reference_rasterize(height, width, z, image, features, normals >= 0)
    return drawn, reference_soft_mask(image, face_idx, 7000, 0.02, 30), face_idx


def backend(name: str) -> Callable[..., Any]:
    """The operator with one of its back ends; the test is skipped where that is missing."""
    if name in ("kaolin", "nvdiffrast"):
        pytest.importorskip("kaolin.render.mesh", reason="needs NVIDIA's kaolin and a GPU")
    if name == "nvdiffrast":
        pytest.importorskip("nvdiffrast", reason="needs nvdiffrast")
    return lambda *arguments: dibr_rasterization(*arguments, rast_backend=name)


def note(benchmark: Any, who: str, batch: int, size: int, faces: int) -> None:
    """What the table needs to know about a row."""
    device = torch.cuda.get_device_name() if CUDA else f"CPU, {torch.get_num_threads()} threads"
    benchmark.extra_info.update(who=who, batch=batch, size=size, faces=faces, device=device)


@pytest.mark.parametrize("who", ["warp", "kaolin", "nvdiffrast"])
@pytest.mark.parametrize("faces", MESHES)
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("batch", BATCHES)
def test_grid(benchmark: Any, batch: int, size: int, faces: int, who: str):
    """The operator over image size, faces and batch."""
    if not CUDA and batch * (faces + size * size) > CPU_FACES_AND_PIXELS:
        pytest.skip("takes too long on a CPU")
    # Kaolin keeps 17 bytes per pixel and face of its list of 30, ours a few; gradients are nine floats a face and more.
    if CUDA and batch * (size * size * 600 + faces * 300) > CUDA_BYTES:
        pytest.skip("needs more memory than the device has")
    run = step(backend(who), batch, size, faces)
    benchmark.group = f"{batch} x {size}px, {faces} faces"
    note(benchmark, who, batch, size, faces)
    benchmark.pedantic(run, rounds=7, warmup_rounds=2)


def test_off_screen(benchmark: Any):
    """The floor: 64 images with 2,000 faces that reach no pixel, every face read and every pixel written."""
    benchmark.group = "64 x 64px, 2000 faces"
    benchmark.pedantic(step(backend("warp"), 64, 64, 2000, shift=5.0), rounds=7, warmup_rounds=2)


def test_brute_force(benchmark: Any):
    """The tests' definition on one image of 64 x 64 with the 2,000-face template: what the operator replaces."""
    run = step(brute_force, 1, 64, 2000)
    benchmark.group = "64 x 64px, 2000 faces"
    note(benchmark, "brute force", 1, 64, 2000)
    benchmark.pedantic(run, rounds=3, warmup_rounds=1)
