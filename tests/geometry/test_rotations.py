"""Rotation codes, angles and the random views of the method."""

import math

import pytest
import torch

from genren.geometry.rotations import CODE_SIZES, about, code_of_azimuth, decode, from_quaternion, geodesic, view


@pytest.mark.parametrize("kind", ["3a", "6d"])
def test_every_code_decodes_to_a_rotation(kind: str):
    """Any raw code gives an orthonormal matrix of determinant 1."""
    rotation = decode(torch.randn(50, CODE_SIZES[kind], dtype=torch.float64), kind)

    torch.testing.assert_close(rotation @ rotation.mT, torch.eye(3, dtype=torch.float64).expand(50, 3, 3))
    torch.testing.assert_close(torch.linalg.det(rotation), torch.ones(50, dtype=torch.float64))


def test_angles_multiply_in_the_specified_order():
    """'3a' is Rz(a) Ry(b) Rx(g) of pi tanh(r); zero angles are the identity."""
    code = torch.tensor([0.3, -0.2, 0.5], dtype=torch.float64)
    a, b, g = math.pi * torch.tanh(code + 1e-7)

    torch.testing.assert_close(decode(code, "3a"), about("z", a) @ about("y", b) @ about("x", g))
    torch.testing.assert_close(decode(torch.zeros(3), "3a"), torch.eye(3), atol=1e-6, rtol=0)


def test_elevation_shows_the_object_from_above():
    """An elevation of 90 degrees maps +Y to +Z, towards the camera."""
    rotation = view(torch.zeros(()), torch.tensor(math.pi / 2))

    torch.testing.assert_close(rotation @ torch.tensor([0.0, 1, 0]), torch.tensor([0.0, 0, 1]), atol=1e-6, rtol=0)


def test_angles_have_the_specified_values():
    """d(I, I) is the clamp's 0.0014, a quarter turn is pi / 2."""
    identity = torch.eye(3)

    assert geodesic(identity, identity).item() == pytest.approx(0.0014142, abs=2e-5)
    assert geodesic(identity, about("y", torch.tensor(math.pi / 2))).item() == pytest.approx(math.pi / 2, abs=1e-6)


@pytest.mark.parametrize("azimuth", [0.0, 1.0, 3.0, 5.0])
def test_a_view_survives_its_6d_code(azimuth: float):
    """The code that starts a pose hypothesis decodes to the view it stands for."""
    angle = torch.tensor(azimuth)

    decoded = decode(code_of_azimuth(angle, 0.4, "6d"), "6d")

    torch.testing.assert_close(decoded, view(angle, torch.tensor(0.4)))


def test_quaternions_turn_about_their_axis():
    """(cos, sin) of half the angle about y is Ry, whatever the quaternion's length."""
    half = torch.tensor(0.35)
    quaternion = 3 * torch.stack([half.cos(), torch.zeros(()), half.sin(), torch.zeros(())])

    torch.testing.assert_close(from_quaternion(quaternion), about("y", 2 * half))
