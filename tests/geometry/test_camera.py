"""Projection: the method's camera and 3D-R2N2's."""

import math

import pytest
import torch

from genren.geometry.camera import NEAR, fixed_camera, r2n2_camera


def project(camera, point):
    """NDC of one world point."""
    return camera.project(camera.to_camera(torch.tensor([[point]])))[0, 0]


def test_the_fixed_camera_has_the_specified_numbers():
    """The origin is the centre; (0.5, 0, 0) lands at |x| = 0.7217, to the right where it is not mirrored."""
    assert project(fixed_camera(), [0.0, 0, 0]).tolist() == [0, 0]
    assert project(fixed_camera(), [0.5, 0, 0])[0].item() == pytest.approx(0.7217, abs=1e-4)
    assert project(fixed_camera(mirrored=True), [0.5, 0, 0])[0].item() == pytest.approx(-0.7217, abs=1e-4)
    assert fixed_camera().to_camera(torch.zeros(1, 1, 3))[0, 0, 2].item() == pytest.approx(-1.2)


def test_nothing_projects_to_infinity():
    """A point in or behind the camera's plane is clamped to the near plane and keeps a finite gradient."""
    points = torch.tensor([[[0.1, 0.2, 1.2], [0.1, 0.2, 5.0]]], requires_grad=True)
    camera = fixed_camera()

    projected = camera.project(camera.to_camera(points))
    projected.sum().backward()

    assert projected.abs().max().item() == pytest.approx(0.2 * camera.focal / NEAR, rel=1e-5)
    assert points.grad is not None
    assert points.grad.isfinite().all()


def test_r2n2_cameras_follow_the_definition():
    """Position and axes equal the formula of the dataset's renderer, written out for one view."""
    a, e, ratio = 40.0, 27.0, 0.8
    camera = r2n2_camera(torch.tensor([a]), torch.tensor([e]), torch.tensor([ratio]))
    a, e = math.radians(a), math.radians(e)
    position = [1.75 * ratio * value for value in (math.cos(e) * math.cos(a), math.sin(e), math.cos(e) * math.sin(a))]

    assert camera.position[0].tolist() == pytest.approx(position, abs=1e-6)
    assert project(camera, [0.0, 0, 0]).abs().max() < 1e-6
    # The object's top is up in the image, and the horizontal field of view is 49.13 degrees.
    assert project(camera, [0.0, 0.1, 0])[1] > 0
    assert math.degrees(2 * math.atan(1 / camera.focal)) == pytest.approx(49.13, abs=0.01)


def test_the_fixed_camera_may_stand_elsewhere():
    """From the side the origin stays in the middle, +z is to the right of an eye on -x, and distance counts."""
    camera = fixed_camera(eye=(-2.0, 0.0, 0.0))

    assert project(camera, [0.0, 0, 0]).tolist() == pytest.approx([0, 0], abs=1e-6)
    assert project(camera, [0.0, 0, 0.5])[0] > 0.2
    assert project(camera, [0.0, 0.5, 0])[1] > 0.2
    assert camera.to_camera(torch.zeros(1, 1, 3))[0, 0, 2].item() == pytest.approx(-2)
