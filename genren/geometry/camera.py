"""Pinhole cameras: the method's fixed one and those of 3D-R2N2's renders.

Camera space is OpenGL's: x right, y up, looking along -z. Projection goes to normalised device coordinates (NDC),
x right and y up, [-1, 1] across the square image, the centre of pixel column i at (2i + 1 - W)/W.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

# 3D-R2N2 (tools/render_models.py): largest camera distance, and Blender's 35 mm lens on a 32 mm sensor. The `fov`
# column of its metadata (always 25) is not the field of view.
R2N2_MAX_DISTANCE = 1.75
R2N2_FOCAL = 35 / 16

# The method's camera: eye on +z, half field of view 30 degrees.
EYE = (0.0, 0.0, 1.2)
HALF_FIELD_OF_VIEW = math.radians(30)

NEAR = 0.05


@dataclass(frozen=True)
class Camera:
    """A batch of pinhole cameras; a batch of one serves every item."""

    rotation: Tensor  # (B, 3, 3), rows are the camera's x, y, z axes in world space
    position: Tensor  # (B, 3), world space
    focal: float  # NDC units per unit of x/z
    mirrored: bool = False  # x runs left, as in the original's left-handed look-at (imported weights only)

    def to_camera(self, points: Tensor) -> Tensor:
        """World points (B, V, 3) in camera space (B, V, 3); what lies in front of the camera has z < 0."""
        points = (points - self.position[:, None]) @ self.rotation.transpose(1, 2)
        return torch.cat([-points[..., :1], points[..., 1:]], dim=-1) if self.mirrored else points

    def project(self, points_camera: Tensor, guarded: bool = True) -> Tensor:
        """Camera-space points (B, V, 3) in NDC (B, V, 2); if `guarded`, depths nearer than NEAR are clamped to it.

        Otherwise what is behind the camera comes out inverted, and what is beside it infinite.
        """
        depth = -points_camera[..., 2:]
        if guarded:
            depth = depth.clamp_min(NEAR)
        return self.focal * points_camera[..., :2] / depth

    def to(self, device: torch.device | str) -> "Camera":
        """The same cameras on another device."""
        return Camera(self.rotation.to(device), self.position.to(device), self.focal, self.mirrored)


def fixed_camera(mirrored: bool = False, eye: tuple[float, float, float] = EYE) -> Camera:
    """The method's camera: at (0, 0, 1.2), looking at the origin with +Y up, half field of view 30 degrees."""
    position = torch.tensor([eye], dtype=torch.float32)
    return Camera(_looking_at_origin(position), position, 1 / math.tan(HALF_FIELD_OF_VIEW), mirrored)


def r2n2_camera(azimuth: Tensor, elevation: Tensor, distance_ratio: Tensor) -> Camera:
    """Cameras of 3D-R2N2's `rendering_metadata.txt`, each argument (B,), angles in degrees.

    Azimuth turns about +y from +x towards +z; the object has its box centred and its box diagonal at 1.
    """
    azimuth, elevation = torch.deg2rad(azimuth), torch.deg2rad(elevation)
    direction = torch.stack([elevation.cos() * azimuth.cos(), elevation.sin(), elevation.cos() * azimuth.sin()], dim=-1)
    rotation = _looking_at_origin(direction)
    return Camera(rotation, direction * (R2N2_MAX_DISTANCE * distance_ratio)[:, None], R2N2_FOCAL)


def _looking_at_origin(position: Tensor) -> Tensor:
    """Camera axes as rows (B, 3, 3) at positions (B, 3) off the up axis: z points away from the origin, x is level."""
    backward = torch.nn.functional.normalize(position, dim=-1)
    up = position.new_tensor([0.0, 1.0, 0.0]).expand_as(position)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, backward), dim=-1)
    return torch.stack([right, torch.linalg.cross(backward, right), backward], dim=1)
