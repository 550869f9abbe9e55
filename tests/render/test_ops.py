"""The operator as PyTorch sees it: registration, compilation, autocast, determinism, threads."""

import pytest
import torch
from torch import Tensor

from genren.render import dibr_rasterization, launch, ops

from .scenes import random_faces, sphere


def scene(dtype: torch.dtype = torch.float32) -> tuple[Tensor, ...]:
    """Depth, positions and features that want gradients, and normals."""
    depth, image, features = random_faces(2, 20, size=0.1, dtype=dtype)
    return depth, image.requires_grad_(), features.requires_grad_(), torch.ones(2, 20, dtype=dtype)


def loss(depth: Tensor, image: Tensor, features: Tensor, normals: Tensor) -> Tensor:
    """A number to differentiate, from colours and mask."""
    drawn, mask, _ = dibr_rasterization(16, 16, depth, image, features, normals, sigmainv=50.0, boxlen=0.2)
    return drawn.square().sum() + mask.square().sum()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_registered_operators_keep_pytorchs_rules(dtype: torch.dtype):
    """Schemas, fake kernels and autograd registrations agree with what the kernels do."""
    depth, image, features, _ = scene(dtype)
    valid = torch.ones(2, 20, dtype=torch.bool)
    drawn, face_idx = ops.rasterize(8, 9, depth, image, features, valid, 1000.0, 1e-8)
    mask, reach = ops.soft_mask(image, face_idx, 50.0, 0.2, 30, 1000.0)
    plain = image.detach(), features.detach()

    torch.library.opcheck(ops.rasterize, (8, 9, depth, image, features, valid, 1000.0, 1e-8))
    torch.library.opcheck(ops.soft_mask, (image, face_idx, 50.0, 0.2, 30, 1000.0))
    torch.library.opcheck(ops.rasterize_backward, (drawn.detach(), face_idx, *plain, 1000.0, 1e-8))
    inputs = (mask.detach(), mask.detach(), reach, plain[0], 50.0, 0.2, 1000.0)
    torch.library.opcheck(ops.soft_mask_backward, inputs)


def test_memory_layout_does_not_matter():
    """Views with other strides, expanded ones too, draw and learn as their copies do."""
    depth, image, features, normals = (t.detach() for t in scene())
    depth = depth.mT.contiguous().mT
    image = image.permute(3, 2, 1, 0).contiguous().permute(3, 2, 1, 0)
    features = features[:1, :, :, :1].expand(2, -1, -1, 3)
    views = depth, image.requires_grad_(), features.requires_grad_(), normals[:, :1].expand(-1, 20)
    copies = [t.detach().contiguous().requires_grad_(t.requires_grad) for t in views]

    found, expected = loss(*views), loss(*copies)

    assert not any(t.is_contiguous() for t in views)
    assert torch.equal(found, expected)
    for a, b in zip(torch.autograd.grad(found, views[1:3]), torch.autograd.grad(expected, copies[1:3]), strict=True):
        assert torch.equal(a, b)


def test_a_compiled_function_draws_the_same():
    """`torch.compile` takes the operator in one graph, gradients included."""
    inputs = scene()
    expected = loss(*inputs)
    wanted = torch.autograd.grad(expected, inputs[1:3])

    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")(*inputs)
    found = torch.autograd.grad(compiled, inputs[1:3])

    assert torch.equal(expected, compiled)
    assert all(torch.equal(a, b) for a, b in zip(found, wanted, strict=True))


def test_autocast_computes_in_float32():
    """Half-precision inputs inside autocast are drawn as their float32 copies; gradients come back in their type."""
    depth, image, features, normals = (t.detach() for t in scene())
    half = [t.bfloat16().requires_grad_() for t in (image, features)]
    full = [t.detach().float().requires_grad_() for t in half]

    with torch.autocast("cpu", torch.bfloat16):
        found = loss(depth.bfloat16(), *half, normals)
    expected = loss(depth.bfloat16().float(), *full, normals)
    found.backward()
    expected.backward()

    assert torch.equal(found, expected)
    for low, high in zip(half, full, strict=True):
        assert low.grad is not None
        assert low.grad.dtype == torch.bfloat16
        # Each of the two uses of the positions rounds its gradient to half precision.
        torch.testing.assert_close(low.grad, high.grad.bfloat16(), rtol=0.05, atol=0.02)


def test_results_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch):
    """Every bit of colours, mask and gradients is the same on one core and on many, for pictures split in bands too."""
    monkeypatch.setattr(launch, "_WORTH_A_THREAD", 1)
    for batch in (1, 5):
        depth, image, features = sphere(batch, 20)
        results = []
        for threads in (1, 2, 3):
            before = torch.get_num_threads()
            torch.set_num_threads(threads)
            corners, colors = image.clone().requires_grad_(), features.clone().requires_grad_()
            drawn, mask, face_idx = dibr_rasterization(96, 96, depth, corners, colors, torch.ones(depth.shape[:2]))
            gradients = torch.autograd.grad(drawn.square().sum() + mask.square().sum(), (corners, colors))
            torch.set_num_threads(before)
            results.append((drawn, mask, face_idx, *gradients))
        for other in results[1:]:
            assert all(torch.equal(a, b) for a, b in zip(results[0], other, strict=True))


def test_no_second_derivative_is_made_up():
    """The operator is once differentiable: asking for more is an error and not a zero."""
    inputs = scene()
    (gradient,) = torch.autograd.grad(loss(*inputs), inputs[1], create_graph=True)

    with pytest.raises(RuntimeError, match="differentiable once"):
        torch.autograd.grad(gradient.sum(), inputs[1])


def test_an_error_in_a_thread_reaches_the_caller(monkeypatch: pytest.MonkeyPatch):
    """A kernel that fails on another core is not lost."""
    monkeypatch.setattr(launch, "_WORTH_A_THREAD", 1)
    depth, image, features = sphere(4, 20)
    torch_threads = torch.get_num_threads()
    torch.set_num_threads(2)

    def broken(*arguments: object, **settings: object) -> None:
        raise RuntimeError("no kernel today")

    monkeypatch.setattr("genren.render.launch.wp.launch", broken)
    with pytest.raises(RuntimeError, match="no kernel today"):
        dibr_rasterization(64, 64, depth, image, features, torch.ones(depth.shape[:2]))
    torch.set_num_threads(torch_threads)
