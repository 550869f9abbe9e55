"""Rotations: decoded from network outputs, drawn at random, compared. Matrices act on columns, R p."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

CODE_SIZES = {"3a": 3, "6d": 6, "quaternion": 4}


def about(axis: str, angle: Tensor) -> Tensor:
    """Rotation (..., 3, 3) about the x, y or z axis by an angle (...) in radians."""
    c, s, one, zero = angle.cos(), angle.sin(), torch.ones_like(angle), torch.zeros_like(angle)
    rows = {
        "x": (one, zero, zero, zero, c, -s, zero, s, c),
        "y": (c, zero, s, zero, one, zero, -s, zero, c),
        "z": (c, -s, zero, s, c, zero, zero, zero, one),
    }[axis]
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))


def decode(code: Tensor, kind: str) -> Tensor:
    """Rotation (..., 3, 3) of a raw code.

    '3a' (..., 3): angles pi tanh(r) about z, y, x (method: 1.3). '6d' (..., 6): Gram-Schmidt of two columns (Zhou et
    al., CVPR 2019). 'quaternion' (..., 4), real part first.
    """
    if kind == "quaternion":
        return from_quaternion(code)
    if kind == "3a":
        a, b, g = (math.pi * torch.tanh(code + 1e-7)).unbind(-1)
        return about("z", a) @ about("y", b) @ about("x", g)
    first = F.normalize(code[..., :3], dim=-1)
    second = code[..., 3:] - (first * code[..., 3:]).sum(-1, keepdim=True) * first
    second = F.normalize(second, dim=-1)
    return torch.stack([first, second, torch.linalg.cross(first, second)], dim=-1)


def code_of_azimuth(azimuth: Tensor, elevation: float, kind: str) -> Tensor:
    """Code whose decoding is Rx(elevation) Ry(azimuth); for '3a' the azimuth alone. Radians."""
    if kind == "3a":
        zero = torch.zeros_like(azimuth)
        # Beyond 90 degrees the middle angle is still free: pi tanh covers the full turn.
        angle = torch.remainder(azimuth + math.pi, 2 * math.pi) - math.pi
        return torch.atanh(torch.stack([zero, angle, zero], dim=-1) / math.pi * 0.98)
    tilt = torch.full_like(azimuth, elevation)
    if kind == "quaternion":
        a, e = azimuth / 2, tilt / 2
        return torch.stack([e.cos() * a.cos(), e.sin() * a.cos(), e.cos() * a.sin(), e.sin() * a.sin()], dim=-1)
    rotation = view(azimuth, tilt)
    return torch.cat([rotation[..., 0], rotation[..., 1]], dim=-1)


def view(azimuth: Tensor, elevation: Tensor) -> Tensor:
    """Object rotation Rx(elevation) Ry(azimuth) (method: 1.4, DR); positive elevation shows the object from above."""
    return about("x", elevation) @ about("y", azimuth)


def geodesic(one: Tensor, other: Tensor) -> Tensor:
    """Angle (...) in radians between rotations (..., 3, 3), clamped as in the method (1.6): [0.0014, pi - 0.0014]."""
    trace = (one * other).sum((-2, -1))
    return torch.arccos(((trace - 1) / 2).clamp(-1 + 1e-6, 1 - 1e-6))


def from_quaternion(quaternion: Tensor) -> Tensor:
    """Rotation (..., 3, 3) of a quaternion (..., 4), real part first, normalised here."""
    w, x, y, z = F.normalize(quaternion, dim=-1).unbind(-1)
    rows = (
        1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
        2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
        2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
    )  # fmt: skip
    return torch.stack(rows, dim=-1).unflatten(-1, (3, 3))
