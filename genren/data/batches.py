"""Unpaired random batches of one split, as the networks take them."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from genren.data.store import Store
from genren.engine import ranks
from genren.errors import InputError

COLOR_IMAGES, COLORS_PER_IMAGE = 10_000, 5  # size of the colour pool (method: 1.4)


@dataclass(frozen=True)
class Clouds:
    """A batch of oriented clouds in the canonical frame."""

    points: Tensor  # (B, P, 3)
    normals: Tensor  # (B, P, 3), unit


class Batches:
    """Random batches of images and, independently of them, of oriented clouds, for one of the ranks.

    The split is held in the device's memory where it fits, else in the host's, so that a batch is one look-up and needs
    no workers. Draws from torch's global generator.
    """

    def __init__(
        self,
        store: Store,
        split: str,
        batch_size: int,
        device: torch.device | str = "cpu",
        image_subset: int = 0,
        shape_subset: int = 0,
    ) -> None:
        """Take a split, or so many images and shapes of it, chosen at random; 0 is all."""
        self.batch_size, self.device = batch_size, torch.device(device)
        views, clouds = _some(store.images_of(split), image_subset), _some(store.clouds_of(split), shape_subset)
        arrays = store.images[views], store.points[clouds], store.normals[clouds]
        home = self.device if _fits(sum(array.nbytes for array in arrays), self.device) else torch.device("cpu")
        # (N, S, S, 4) uint8, (M, P, 3), (M, P, 3)
        self.images, self.points, self.normals = (
            torch.from_numpy(np.ascontiguousarray(array)).to(home) for array in arrays
        )
        if not len(self.images) or not len(self.points):
            raise InputError(
                f"split {split!r} has {len(self.images)} images and {len(self.points)} clouds, expected some"
            )

    def draw_images(self) -> Tensor:
        """RGBA (B, 4, S, S) of images drawn without repetition where there are enough."""
        return to_tensor(self._sent(self.images[self._rows(len(self.images))]))

    def draw_clouds(self, points: int) -> Clouds:
        """Random clouds, `points` random points of each."""
        rows = self._rows(len(self.points))
        # With repetition: a subset without would cost a permutation per cloud, and 1,000 of 10,000 repeat 5 %.
        shape = (ranks.count() * self.batch_size, points)
        subset = ranks.own(torch.randint(self.points.shape[1], shape, device=rows.device))
        # One look-up of rows is several times as fast as indexing with two tensors.
        flat = (rows[:, None] * self.points.shape[1] + subset).flatten()
        chosen = (values.flatten(0, 1).index_select(0, flat) for values in (self.points, self.normals))
        return Clouds(*(self._sent(values.unflatten(0, subset.shape)) for values in chosen))

    def color_pool(self) -> Tensor:
        """RGB (N, 3) in [0, 1] of up to 50,000 foreground pixels of random images, for random textures."""
        chosen = self.images.cpu()[torch.randperm(len(self.images))[:COLOR_IMAGES]]
        colors = []
        for image in chosen:
            foreground = image[image[..., 3] > 127]
            if len(foreground):
                colors.append(foreground[torch.randint(len(foreground), (COLORS_PER_IMAGE,)), :3])
        if not colors:
            raise InputError(f"none of {len(chosen)} images has a foreground pixel (alpha > 0.5); check the renders")
        return torch.cat(colors).float() / 255

    def _rows(self, count: int) -> Tensor:
        """Rows of the joint batch that are this rank's, drawn where the arrays are: nothing waits for the device."""
        batch, home = ranks.count() * self.batch_size, self.images.device
        if count >= batch:
            return ranks.own(torch.randperm(count, device=home)[:batch])
        return ranks.own(torch.randint(count, (batch,), device=home))

    def _sent(self, rows: Tensor) -> Tensor:
        """Rows on the device."""
        return rows if rows.device == self.device else rows.pin_memory().to(self.device, non_blocking=True)


def _fits(size: int, device: torch.device) -> bool:
    """Whether so many bytes leave most of the device's free memory to the networks."""
    return device.type != "cuda" or size < torch.cuda.mem_get_info(device)[0] / 4


def _some(rows: np.ndarray, count: int) -> np.ndarray:
    """So many of the rows, in their order; all, without a draw, if `count` is 0 or too large."""
    if not 0 < count < len(rows):
        return rows
    return rows[torch.randperm(len(rows))[:count].sort().values.numpy()]


def to_tensor(images: Tensor) -> Tensor:
    """Straight-alpha uint8 (N, S, S, 4) to (N, 4, S, S): RGB over black in [-1, 1], alpha in [0, 1]."""
    # In place and in the order of the file, which is also that of channels_last.
    values = images.to(torch.float32, copy=True).div_(255)
    values[..., :3].mul_(2 * values[..., 3:]).sub_(1)
    return values.permute(0, 3, 1, 2)


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
