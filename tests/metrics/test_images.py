"""SSIM and pose: definitions, ends of the scale, and symmetries."""

import math

import numpy as np
import pytest
import torch
from scipy.ndimage import gaussian_filter

from genren.errors import InputError
from genren.geometry.camera import r2n2_camera
from genren.geometry.rotations import about, view
from genren.metrics.pose import hypotheses, pose_error
from genren.metrics.ssim import ssim


def ssim_slowly(x: np.ndarray, y: np.ndarray) -> float:
    """SSIM of one channel by SciPy's Gaussian, cropped to whole windows."""

    def blur(image: np.ndarray) -> np.ndarray:
        return gaussian_filter(image, 1.5, truncate=5 / 1.5)[5:-5, 5:-5]

    mx, my = blur(x), blur(y)
    vx, vy, cov = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    return float(((2 * mx * my + c1) * (2 * cov + c2) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def test_ssim_agrees_with_scipys_gaussian() -> None:
    """Images that are not square, channel by channel, against an independent blur; alpha does not take part."""
    x, y = torch.rand(2, 4, 20, 26).double(), torch.rand(2, 4, 20, 26).double()
    expected = [np.mean([ssim_slowly(x[b, c].numpy(), y[b, c].numpy()) for c in range(3)]) for b in range(2)]

    assert expected == pytest.approx(ssim(x, y).tolist(), rel=1e-9)


def test_ssim_sees_structure_where_psnr_sees_size() -> None:
    """A constant shift keeps the structure, noise of the same size does not; equal images are at 1."""
    image = torch.rand(1, 3, 32, 32) * 0.5 + 0.2
    shift, noise = image + 0.1, image + 0.1 * torch.sign(torch.randn(1, 3, 32, 32))

    assert float(ssim(image, image)) == 1
    assert float(ssim(shift, image)) > 0.9 > float(ssim(noise, image))
    with pytest.raises(InputError, match="at least 11 pixels"):
        ssim(torch.rand(1, 3, 8, 8), torch.rand(1, 3, 8, 8))
    with pytest.raises(InputError, match="one shape"):
        ssim(torch.rand(1, 3, 32, 32), torch.rand(1, 3, 64, 64))


def test_pose_errors_of_known_turns() -> None:
    """90 degrees are 90, none are exactly 0, and a tiny one is not rounded up by a clamp."""
    true = view(torch.tensor(0.4), torch.tensor(0.5))[None]

    assert float(pose_error(true @ about("y", torch.tensor(math.pi / 2)), true)) == pytest.approx(90, abs=1e-4)
    assert float(pose_error(true, true)) == 0
    assert float(pose_error(true.double() @ about("y", torch.tensor(1e-5).double()), true)) < 0.01


def test_the_store_s_cameras_are_the_poses_of_the_model() -> None:
    """A view at azimuth 90 + a of the renders is the pose Rx(e) Ry(a): the convention that the error is measured in."""
    angles = torch.tensor([0.3, 2.0, 5.0])
    elevation = torch.full_like(angles, 0.45)
    camera = r2n2_camera(torch.rad2deg(angles) + 90, torch.rad2deg(elevation), torch.ones(3))
    errors = pose_error(view(angles, elevation), camera.rotation)
    mirrored = pose_error(view(-angles, elevation), camera.rotation)

    assert errors.max() < 0.1 or mirrored.max() < 0.1
    assert errors.max() < 0.1


def test_symmetric_categories_are_right_up_to_their_turns() -> None:
    """A table seen from behind is a table; anything rotational only has a tilt to get wrong; a chair has a front."""
    true = view(torch.tensor(0.4), torch.tensor(0.5))[None]
    behind = true @ about("y", torch.tensor(math.pi))
    aside = true @ about("y", torch.tensor(1.1))
    tilted = about("x", torch.tensor(0.2)) @ aside

    assert float(pose_error(behind, true)) == pytest.approx(180, abs=0.05)
    assert float(pose_error(behind, true, 2)) == pytest.approx(0, abs=0.05)
    assert float(pose_error(aside, true, 2)) > 60
    assert float(pose_error(aside, true, math.inf)) == pytest.approx(0, abs=0.05)
    assert float(pose_error(tilted, true, math.inf)) == pytest.approx(math.degrees(0.2), abs=0.05)


def test_hypotheses_that_all_win_are_used_and_one_that_wins_alone_is_not() -> None:
    """Two that share the images are two in effect; a collapsed one is one, however good."""
    errors = torch.tensor([[1.0, 50.0], [50.0, 1.0]]).repeat(10, 1)
    both, one = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).repeat(10, 1), torch.tensor([[0.9, 0.1]]).repeat(20, 1)

    assert hypotheses(errors, both).used == pytest.approx(2)
    assert hypotheses(errors, both).accuracy == 1
    assert hypotheses(errors, one).used == pytest.approx(1)
    assert hypotheses(errors, one).accuracy == 0.5


def test_calibration_compares_confidence_with_being_right() -> None:
    """Sure and right: 0. 90 % sure and right half of the time: 0.4 off. Half sure and half right: 0."""
    errors = torch.tensor([[1.0, 50.0], [50.0, 1.0]]).repeat(10, 1)

    def error(confidence: float) -> float:
        return hypotheses(errors, torch.tensor([[confidence, 1 - confidence]]).repeat(20, 1)).calibration_error

    right = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).repeat(10, 1)
    assert hypotheses(errors, right).calibration_error == 0
    assert error(0.9) == pytest.approx(0.4, abs=1e-6)
    assert error(0.5001) == pytest.approx(0, abs=1e-3)
