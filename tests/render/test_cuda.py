"""The operator on a GPU: the CPU's numbers, no waiting, CUDA graphs, gradients that repeat."""

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from genren.render import dibr_rasterization, texture_mapping

from .scenes import sphere

pytestmark = pytest.mark.gpu


@pytest.fixture
def deterministic() -> Iterator[None]:
    """PyTorch's deterministic mode, for one test."""
    torch.use_deterministic_algorithms(True)
    yield
    torch.use_deterministic_algorithms(False)


def draw(depth: Tensor, image: Tensor, features: Tensor, size: int = 96) -> tuple[Tensor, ...]:
    """Colours, mask, face indices, and gradients of positions and features."""
    image, features = image.clone().requires_grad_(), features.clone().requires_grad_()
    normals = torch.ones_like(depth[..., 0])
    drawn, mask, face_idx = dibr_rasterization(size, size, depth, image, features, normals)
    return drawn, mask, face_idx, *torch.autograd.grad(drawn.square().mean() + mask.square().mean(), (image, features))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("batch", "subdivisions"), [(1, 2), (3, 10)])
def test_cuda_draws_what_the_cpu_draws(dtype: torch.dtype, batch: int, subdivisions: int):
    """One source, the same numbers, with many faces and with few that are shared by several threads."""
    scene = sphere(batch, subdivisions, dtype=dtype)

    cpu, cuda = draw(*scene), draw(*(t.cuda() for t in scene))

    same = cpu[2] == cuda[2].cpu()
    assert same.double().mean() > 0.999
    torch.testing.assert_close(cpu[0][same], cuda[0].cpu()[same], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(cpu[1][same], cuda[1].cpu()[same], atol=1e-4, rtol=1e-4)
    for a, b in zip(cpu[3:], cuda[3:], strict=True):
        assert (a - b.cpu()).norm() < 1e-3 * a.norm()


def test_nothing_waits_for_the_device():
    """Forward and backward queue their work: PyTorch's synchronisation detector stays silent."""
    scene = sphere(2, 10, "cuda")
    draw(*scene)

    torch.cuda.set_sync_debug_mode("error")
    try:
        draw(*scene)
    finally:
        torch.cuda.set_sync_debug_mode("default")


def test_a_cuda_graph_replays_the_operator():
    """Captured once, replayed on other positions: the same as a fresh call."""
    depth, image, features = sphere(2, 10, "cuda")
    draw(depth, image, features)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        captured = draw(depth, image, features)

    image.mul_(0.7)
    graph.replay()

    for found, expected in zip(captured, draw(depth, image, features), strict=True):
        torch.testing.assert_close(found, expected)


@pytest.mark.usefixtures("deterministic")
def test_deterministic_gradients_repeat_bit_for_bit():
    """Few large faces, many pixels and a texture: run after run the same bits."""
    depth, image, _ = sphere(1, 2, "cuda")
    uv, maps = torch.rand(*image.shape[:3], 2, device="cuda"), torch.rand(1, 3, 32, 32, device="cuda").requires_grad_()
    first = None
    for _ in range(5):
        corners = image.clone().requires_grad_()
        drawn, mask, _ = dibr_rasterization(256, 256, depth, corners, uv, torch.ones_like(depth[..., 0]))
        colors = texture_mapping(drawn, maps, "bilinear")
        gradients = torch.autograd.grad(colors.square().sum() + mask.square().sum(), (corners, maps))
        first = first or gradients
        assert all(torch.equal(a, b) for a, b in zip(gradients, first, strict=True))


def test_anomaly_mode_finds_what_is_not_finite():
    """On CUDA a look at the numbers would wait for the device: only who seeks anomalies pays for it."""
    depth, image, features = sphere(1, 2, "cuda")
    image[0, 3] = torch.nan
    normals = torch.ones_like(depth[..., 0])

    _, _, face_idx = dibr_rasterization(32, 32, depth, image, features, normals)
    assert not (face_idx == 3).any()
    with torch.autograd.set_detect_anomaly(True), pytest.raises(ValueError, match="nan or infinity in mesh 0, face 3"):
        dibr_rasterization(32, 32, depth, image, features, normals)


def test_tensors_on_two_devices_are_refused():
    """A mix of devices is named."""
    depth, image, features = sphere(1, 2, "cuda")

    with pytest.raises(ValueError, match="face_features must be on cuda:0, got cpu"):
        dibr_rasterization(32, 32, depth, image, features.cpu(), torch.ones_like(depth[..., 0]))
