"""Multi-scale structural similarity."""

import pytest
import torch

from genren.losses.ssim import ms_ssim


def test_an_image_is_like_itself_and_unlike_noise():
    """1 for equal images, less the more noise there is, and symmetric."""
    image = torch.rand(2, 4, 64, 64)
    near, far = (image + s * torch.randn_like(image) for s in (0.05, 0.5))

    torch.testing.assert_close(ms_ssim(image, image), torch.ones(2))
    assert (ms_ssim(image, far) < ms_ssim(image, near)).all()
    assert (ms_ssim(image, near) < 1).all()
    torch.testing.assert_close(ms_ssim(image, near), ms_ssim(near, image))


def test_structure_counts_more_than_brightness():
    """The same picture a little darker is nearer than other structure at the same squared error."""
    image = torch.rand(1, 1, 64, 64)
    darker = image - 0.1
    noisy = image + 0.1 * torch.randn_like(image).sign()

    assert ms_ssim(image, darker) > ms_ssim(image, noisy) + 0.01


def test_images_that_do_not_fit_are_named():
    """Other shapes, or images smaller than the window, are refused."""
    with pytest.raises(ValueError, match=r"at least 4 pixels, got \(1, 3, 64, 64\), \(1, 3, 32, 32\)"):
        ms_ssim(torch.rand(1, 3, 64, 64), torch.rand(1, 3, 32, 32))
