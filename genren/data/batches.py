"""Unpaired random batches of one split, as the networks take them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genren.data.store import Store
from genren.errors import InputError

COLOR_IMAGES, COLORS_PER_IMAGE = 10_000, 5  # size of the colour pool (method: 1.4)


@dataclass(frozen=True)
class Clouds:
    """A batch of oriented clouds in the canonical frame."""

    points: Tensor  # (B, P, 3)
    normals: Tensor  # (B, P, 3), unit


class Batches:
    """Random batches of images and, independently of them, of oriented clouds. Draws from torch's global generator."""

    def __init__(self, store: Store, split: str, batch_size: int) -> None:
        self.batch_size = batch_size
        self.images = torch.from_numpy(np.ascontiguousarray(store.images[store.images_of(split)]))  # (N, S, S, 4) uint8
        clouds = store.clouds_of(split)
        self.points = torch.from_numpy(np.ascontiguousarray(store.points[clouds]))  # (M, P, 3)
        self.normals = torch.from_numpy(np.ascontiguousarray(store.normals[clouds]))
        if not len(self.images) or not len(self.points):
            raise InputError(
                f"split {split!r} has {len(self.images)} images and {len(self.points)} clouds, expected some"
            )

    def draw_images(self) -> Tensor:
        """RGBA (B, 4, S, S) of images drawn without repetition where there are enough."""
        return to_tensor(self.images[self._rows(len(self.images))])

    def draw_clouds(self, points: int) -> Clouds:
        """Random clouds, `points` random points of each."""
        rows = self._rows(len(self.points))
        # With repetition: a subset without would cost a permutation per cloud, and 1,000 of 10,000 repeat 5 %.
        subset = torch.randint(self.points.shape[1], (len(rows), points))
        return Clouds(self.points[rows[:, None], subset], self.normals[rows[:, None], subset])

    def color_pool(self) -> Tensor:
        """RGB (N, 3) in [0, 1] of up to 50,000 foreground pixels of random images, for random textures."""
        chosen = self.images[torch.randperm(len(self.images))[:COLOR_IMAGES]]
        colors = []
        for image in chosen:
            foreground = image[image[..., 3] > 127]
            if len(foreground):
                colors.append(foreground[torch.randint(len(foreground), (COLORS_PER_IMAGE,)), :3])
        if not colors:
            raise InputError(f"none of {len(chosen)} images has a foreground pixel (alpha > 0.5); check the renders")
        return torch.cat(colors).float() / 255

    def _rows(self, count: int) -> Tensor:
        if count >= self.batch_size:
            return torch.randperm(count)[: self.batch_size]
        return torch.randint(count, (self.batch_size,))


def to_tensor(images: Tensor) -> Tensor:
    """Straight-alpha uint8 (N, S, S, 4) to (N, 4, S, S): RGB over black in [-1, 1], alpha in [0, 1]."""
    values = images.float().permute(0, 3, 1, 2) / 255
    return torch.cat([2 * values[:, :3] * values[:, 3:] - 1, values[:, 3:]], dim=1).contiguous(
        memory_format=torch.channels_last
    )


def to_uint8(images: Tensor) -> np.ndarray:
    """(N, 4, S, S) as the networks and the renderer have it to uint8 RGB over black (N, S, S, 3)."""
    rgb = ((images[:, :3] + 1) / 2).clamp(0, 1)
    return (rgb * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()


def to_rgba8(images: Tensor) -> np.ndarray:
    """(N, 4, S, S) as the networks and the renderer have it to straight-alpha uint8 RGBA (N, S, S, 4)."""
    alpha = images[:, 3:].clamp(0, 1)
    # No colour under an alpha that rounds to nothing, as in the store.
    rgb = ((images[:, :3] + 1) / 2 / alpha.clamp_min(1e-3)).clamp(0, 1) * (alpha > 0.5 / 255)
    return (torch.cat([rgb, alpha], dim=1) * 255).round().byte().permute(0, 2, 3, 1).cpu().numpy()
