"""How well a re-render reproduces its image: overlap of the silhouettes, and error of the pixels.

Images are (B, 4, H, W) in [0, 1], RGB composited over black (so 0 outside the silhouette) and alpha.
"""

import torch
from torch import Tensor

from genren.errors import InputError

# Half a grey level of 8 bits is 54 dB; identical images would be infinitely many, which JSON cannot hold.
MAX_PSNR = 100.0


def over_black(rgba: Tensor) -> Tensor:
    """Straight-alpha images (B, 4, H, W) with their RGB composited over black."""
    return torch.cat([rgba[:, :3] * rgba[:, 3:], rgba[:, 3:]], dim=1)


def silhouette_iou(predicted: Tensor, target: Tensor, threshold: float = 0.5) -> Tensor:
    """Intersection over union of two alphas (B, H, W) in [0, 1], soft or hard, above a threshold; (B,), 1 is best.

    Two empty silhouettes agree: 1.
    """
    check_pair(predicted, target)
    predicted, target = predicted > threshold, target > threshold
    intersection = (predicted & target).sum((-2, -1))
    union = (predicted | target).sum((-2, -1))
    return torch.where(union > 0, intersection / union.clamp_min(1), 1.0)


def rerender_l1(predicted: Tensor, target: Tensor) -> Tensor:
    """Mean absolute error over the four channels and all pixels, background included; (B,) in [0, 1], 0 is best."""
    check_pair(predicted, target)
    return (predicted - target).abs().mean((1, 2, 3))


def psnr(predicted: Tensor, target: Tensor) -> Tensor:
    """Peak signal-to-noise ratio of the RGB channels over all pixels, background included; (B,) in dB, at most 100."""
    check_pair(predicted, target)
    error = (predicted[:, :3] - target[:, :3]).square().mean((1, 2, 3))
    return (-10 * error.clamp_min(1e-30).log10()).clamp_max(MAX_PSNR)


def check_pair(predicted: Tensor, target: Tensor) -> None:
    """InputError unless two image batches have one shape, so one resolution and one count, and finite pixels."""
    if predicted.shape != target.shape:
        raise InputError(f"predicted and target must have one shape, got {(*predicted.shape,)} and {(*target.shape,)}")
    for name, image in (("predicted", predicted), ("target", target)):
        if not image.isfinite().all():
            raise InputError(f"{name} holds pixels that are not finite; expected values in [0, 1]")
