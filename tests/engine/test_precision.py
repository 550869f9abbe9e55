"""Half-width and compiled networks: near the plain ones, float32 at their borders, plain under gradient penalties."""

from pathlib import Path

import pytest
import torch

from genren.data.batches import Batches, Clouds
from genren.data.store import Store
from genren.engine import precision
from genren.losses.critic import critic_loss
from genren.losses.total import weigh
from genren.params import TrainParams
from genren.train import programs
from genren.train.prepare import prepare


def computing(params: TrainParams, **changes: object) -> TrainParams:
    """The settings with another engine."""
    return params.model_copy(update={"engine": params.engine.model_copy(update=changes)})


def step(params: TrainParams, store: Path) -> tuple[dict[str, torch.Tensor], torch.Tensor]:
    """Loss terms of the graphics and the vision cycle at step 0, and the texture generator's gradient by image L1."""
    torch.manual_seed(0)
    batches = Batches(Store.open(store), "train", params.batch_size)
    w, state = prepare(params, batches.color_pool())
    clouds: Clouds = batches.draw_clouds(params.points)
    values: dict[str, torch.Tensor] = {}
    for name, terms in (
        ("graphics", programs.graphics(w, clouds, state.buffer)[1]),
        ("vision", programs.vision(w, batches.draw_images())[1]),
    ):
        _, found = weigh(terms, getattr(params.weights, name))
        values |= {f"{name}/{term}": value for term, value in found.items()}
    terms["image_l1"]().backward()
    return values, w.model.texture_generator.first.weight.grad


def test_bfloat16_is_near_float32(tiny_params: TrainParams, tiny_store: Path):
    """Every term is float32 and within some per cent of float32 networks'; not equal, or nothing was halved."""
    plain, gradient = step(tiny_params, tiny_store)
    half, half_gradient = step(computing(tiny_params, precision="bfloat16"), tiny_store)

    assert all(value.dtype == torch.float32 for value in half.values())
    assert any(not torch.equal(half[name], plain[name]) for name in plain)
    for name, value in plain.items():
        torch.testing.assert_close(half[name], value, rtol=0.1, atol=0.02, msg=lambda m, n=name: f"{n}: {m}")
    assert torch.nn.functional.cosine_similarity(gradient.flatten(), half_gradient.flatten(), dim=0) > 0.95


def test_compiled_networks_give_the_same_losses(
    tiny_params: TrainParams, tiny_store: Path, monkeypatch: pytest.MonkeyPatch
):
    """What the compiler traces is the same arithmetic, forward and backward."""
    monkeypatch.setattr(precision, "BACKEND", "aot_eager")

    plain, gradient = step(tiny_params, tiny_store)
    compiled, compiled_gradient = step(computing(tiny_params, compile=True), tiny_store)

    torch.testing.assert_close(compiled, plain, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(compiled_gradient, gradient, rtol=1e-3, atol=1e-3)


def test_penalties_are_exact(tiny_params: TrainParams, monkeypatch: pytest.MonkeyPatch):
    """With halved, compiled critics a penalty's slope is the plain ones' to the last bit, twice differentiable."""
    monkeypatch.setattr(precision, "BACKEND", "aot_eager")
    slopes, losses = [], []
    for changes in ({}, {"precision": "bfloat16", "compile": True}):
        torch.manual_seed(0)
        w, _ = prepare(computing(tiny_params, **changes), torch.rand(10, 3))
        critic = w.critics["image"]
        images = torch.rand(4, 4, 32, 32, requires_grad=True)
        with precision.exact():
            slopes.append(torch.autograd.grad(critic(images).sum(), images)[0])
        loss = critic_loss(critic, torch.rand(4, 4, 32, 32), torch.rand(4, 4, 32, 32))
        loss.backward()
        losses.append(loss.detach())

    assert torch.equal(*slopes)
    torch.testing.assert_close(losses[1], losses[0], rtol=0.02, atol=0.02)


def test_the_average_and_the_critics_heads_stay_plain(tiny_params: TrainParams):
    """The weights for evaluation are computed with as ever: only the training copy is tuned."""
    w, state = prepare(computing(tiny_params, precision="bfloat16"), torch.rand(10, 3))
    latent = torch.rand(2, w.model.texture_generator.first.in_features)

    with torch.no_grad():
        assert not torch.equal(w.model.texture_generator(latent), state.average.texture_generator(latent))
    assert torch.get_autocast_dtype("cpu") == torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")
