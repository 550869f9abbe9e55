"""The constants of the operator: defaults, what `eps` does, and that all of them arrive."""

import inspect
from collections.abc import Callable

import pytest
import torch

from genren.render import dibr_rasterization, dibr_soft_mask, rasterize, texture_mapping

from .reference import reference_rasterize
from .scenes import random_faces


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (rasterize, {"valid_faces": None, "multiplier": None, "eps": None, "backend": "auto"}),
        (dibr_soft_mask, {"sigmainv": 7000, "boxlen": 0.02, "knum": 30, "multiplier": 1000.0}),
        (
            dibr_rasterization,
            {"sigmainv": 7000, "boxlen": 0.02, "knum": 30, "multiplier": None, "eps": None, "rast_backend": "auto"},
        ),
        (texture_mapping, {"mode": "nearest"}),
    ],
)
def test_defaults_are_kaolins(function: Callable[..., object], expected: dict[str, object]):
    """Names, order and values of the optional arguments are Kaolin's, but for the back end."""
    parameters = inspect.signature(function).parameters.values()

    assert [(p.name, p.default) for p in parameters if p.default is not p.empty] == list(expected.items())


@pytest.mark.parametrize("clockwise", [False, True])
@pytest.mark.parametrize(("multiplier", "eps"), [(1.0, 0.1), (1.0, 0.0), (10.0, 3.0)])
def test_eps_shrinks_the_weights(clockwise: bool, multiplier: float, eps: float):
    """A large `eps` dims a face whichever way round it is: it counts in multiplied coordinates, away from zero."""
    depth, image, features = random_faces(1, 12)
    order = [0, 2, 1] if clockwise else [0, 1, 2]
    depth, image, features = depth[:, :, order], image[:, :, order], features[:, :, order]

    expected, expected_idx = reference_rasterize(16, 16, depth, image, features, None, multiplier, eps)
    drawn, face_idx = rasterize(16, 16, depth, image, features, None, multiplier, eps)

    assert torch.equal(face_idx, expected_idx)
    torch.testing.assert_close(drawn, expected)


@pytest.mark.parametrize("clockwise", [False, True])
@pytest.mark.parametrize(("multiplier", "eps"), [(1.0, 0.1), (1000.0, 0.0), (1000.0, 0.1)])
def test_eps_tames_the_gradient(clockwise: bool, multiplier: float, eps: float):
    """Backward, `eps` is added to the area in NDC, as in Kaolin: positions learn the quotient's whole derivative."""
    depth, image, features = random_faces(1, 12)
    order = [0, 2, 1] if clockwise else [0, 1, 2]
    depth, image, features = depth[:, :, order], image[:, :, order], features[:, :, order]
    fast, slow = image.clone().requires_grad_(), image.clone().requires_grad_()

    reference_rasterize(16, 16, depth, slow, features, None, multiplier, eps)[0].square().sum().backward()
    rasterize(16, 16, depth, fast, features, None, multiplier, eps)[0].square().sum().backward()

    torch.testing.assert_close(fast.grad, slow.grad)


@pytest.mark.parametrize(
    "changed",
    [
        {"sigmainv": 100.0},
        {"boxlen": 0.3},
        {"knum": 1},
        {"multiplier": 1.0},
        {"eps": 100.0},
        {"multiplier": 1.0, "eps": 0.01},
    ],
)
def test_every_constant_reaches_both_halves(changed: dict[str, float]):
    """The whole operator hands each constant on: it equals its two halves called with it, and differs from the rest."""
    depth, image, features = random_faces(1, 40, size=0.1)
    # Edges so short that the guard against dividing by their length, which counts in multiplied coordinates, shows.
    image[:, ::2] = image[:, ::2, :1] + 0.003 * (image[:, ::2] - image[:, ::2, :1])
    constants = {"sigmainv": 300.0, "boxlen": 0.1, "knum": 9, "multiplier": 1000.0, "eps": 1e-8} | changed
    valid = torch.rand(1, 40) > 0.4

    drawn, mask, face_idx = dibr_rasterization(24, 24, depth, image, features, valid.double() - 0.5, **constants)
    usual, usual_mask, _ = dibr_rasterization(
        24, 24, depth, image, features, valid.double() - 0.5, 300.0, 0.1, 9, 1000.0, 1e-8
    )

    multiplier, eps = constants["multiplier"], constants.pop("eps")
    expected, expected_idx = rasterize(24, 24, depth, image, features, valid, multiplier, eps)
    assert torch.equal(face_idx, expected_idx)
    assert torch.equal(drawn, expected)
    assert torch.equal(mask, dibr_soft_mask(image, face_idx, **constants))
    assert torch.equal(mask, usual_mask) == (set(changed) == {"eps"})
    assert torch.equal(drawn, usual) == ({"multiplier", "eps"}.isdisjoint(changed))
