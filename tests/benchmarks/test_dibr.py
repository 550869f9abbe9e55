"""Time of the operator, forward and backward, beside the brute force of the tests. Run by `make bench`."""

from typing import Any

import pytest
import torch
from torch import Tensor

from genren.geometry.sphere import icosphere
from genren.render import dibr_rasterization
from tests.render.reference import reference_rasterize, reference_soft_mask


def sphere(batch: int, subdivisions: int) -> tuple[Tensor, Tensor, Tensor]:
    """Depth, NDC corners and three features of slightly different spheres."""
    template = icosphere(subdivisions, 0.6)
    vertices = template.vertices + 0.01 * torch.randn(batch, len(template.vertices), 3)
    corners = vertices[:, template.faces]
    image = corners[..., :2].clone().requires_grad_()
    return corners[..., 2].contiguous(), image, torch.rand(*corners.shape[:3], 3, requires_grad=True)


@pytest.mark.parametrize("size", [64, 128])
@pytest.mark.parametrize("batch", [1, 64])
def test_dibr_rasterization(benchmark: Any, batch: int, size: int):
    """The operator on the 2,000-face template, forward and backward."""
    depth, image, features = sphere(batch, 10)
    normals = torch.ones(depth.shape[:2])

    def step() -> None:
        drawn, mask, _ = dibr_rasterization(size, size, depth, image, features, normals)
        (drawn.sum() + mask.sum()).backward()

    benchmark.extra_info["images"] = batch
    benchmark(step)


def test_brute_force(benchmark: Any):
    """The tests' vectorised definition on one image of 64 x 64, forward and backward."""
    depth, image, features = sphere(1, 10)

    def step() -> None:
        drawn, face_idx = reference_rasterize(64, 64, depth, image, features)
        mask = reference_soft_mask(image, face_idx, 7000, 0.02, 30)
        (drawn.sum() + mask.sum()).backward()

    benchmark(step)
