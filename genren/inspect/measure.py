"""Numbers per image and per cloud of a store, read model by model: memory does not grow with their number."""

from dataclasses import dataclass

import numpy as np
import torch

from genren.data.cameras import to_camera
from genren.data.store import Store

POINTS = 1000  # of a cloud that are projected into its images
BLOCK = 512  # images at a time


@dataclass(frozen=True)
class Measured:
    """Not-a-number where a model has no cloud, or a camera is unknown."""

    foreground: np.ndarray  # (N,) share of pixels with alpha above 0
    longest: np.ndarray  # (N,) longest side of the foreground's box, share of the image
    cut: np.ndarray  # (N,) bool, foreground touches the border
    inside: np.ndarray  # (N,) share of the cloud's points that fall on the foreground
    facing: np.ndarray  # (N,) share of the points nearest to the camera whose normal looks at it
    extent: np.ndarray  # (M,) longest side of the cloud's box
    normal_error: np.ndarray  # (M,) largest distance of a normal's length from 1

    def coverage(self) -> dict[str, dict[str, float] | None]:
        """Ranges of what is known."""
        values = {
            "foreground_share": self.foreground,
            "longest_side_share": self.longest,
            "points_on_the_mask": self.inside,
            "near_points_facing_the_camera": self.facing,
        }
        return {name: _spread(array) for name, array in values.items()}


def measure(store: Store) -> Measured:
    """Look at every image and every cloud."""
    count, size = store.images.shape[:2]
    foreground, longest, cut = np.zeros(count), np.zeros(count), np.zeros(count, bool)
    for start in range(0, count, BLOCK):
        block = slice(start, min(start + BLOCK, count))
        alpha = store.images[block, ..., 3] > 0
        rows, columns = np.asarray(alpha.any(axis=2)), np.asarray(alpha.any(axis=1))
        foreground[block] = alpha.mean(axis=(1, 2))
        longest[block] = np.maximum(_length(rows), _length(columns)) / size
        cut[block] = rows[:, [0, -1]].any(axis=1) | columns[:, [0, -1]].any(axis=1)

    clouds = len(store.points)
    extent, error = np.empty(clouds), np.empty(clouds)
    inside, facing = np.full(count, np.nan), np.full(count, np.nan)
    rows_of = store.views.groupby("model").indices
    for index, model in enumerate(store.models["model"]):
        extent[index] = np.ptp(store.points[index], axis=0).max()
        error[index] = np.abs(np.linalg.norm(store.normals[index], axis=1) - 1).max()
        rows = np.sort(rows_of.get(model, np.empty(0, dtype=np.int64)))
        if store.cameras is not None and len(rows) and np.isfinite(store.cameras[rows]).all():
            inside[rows], facing[rows] = _seen(store, index, rows)
    return Measured(foreground, longest, cut, inside, facing, extent, error)


def _seen(store: Store, index: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Of one cloud in its images: shares of points on the mask, and of near points that look at the camera."""
    assert store.cameras is not None
    camera = to_camera(store.cameras[rows], store.views["focal"].to_numpy(float)[rows])
    points, normals = (torch.from_numpy(array[index, :POINTS].copy()) for array in (store.points, store.normals))
    places = camera.to_camera(points[None])
    size = store.images.shape[1]
    ndc = camera.project(places).numpy() * [1, -1]
    pixels = np.floor((ndc + 1) / 2 * size).astype(np.int64)
    visible = ((pixels >= 0) & (pixels < size)).all(axis=2)
    pixels = pixels.clip(0, size - 1)
    view = np.arange(len(rows))[:, None]
    on_mask = (store.images[rows][view, pixels[..., 1], pixels[..., 0], 3] > 0) & visible

    # The nearest point of a coarse cell is in front of whatever else falls there.
    depth, towards = -places[..., 2].numpy(), ((camera.position[:, None] - points) * normals).sum(dim=2).numpy() > 0
    cell = pixels[..., 1] * 16 // size * 16 + pixels[..., 0] * 16 // size
    shares = np.empty(len(rows))
    for number in range(len(rows)):
        order = np.argsort(depth[number])
        _, first = np.unique(cell[number][order], return_index=True)
        shares[number] = towards[number][order[first]].mean()
    return on_mask.mean(axis=1), shares


def _length(used: np.ndarray) -> np.ndarray:
    """From the first to the last place in use along the last axis (..., S)."""
    size = used.shape[-1]
    last = size - used[..., ::-1].argmax(axis=-1)
    return np.where(used.any(axis=-1), last - used.argmax(axis=-1), 0)


def _spread(values: np.ndarray) -> dict[str, float] | None:
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    return {"least": float(known.min()), "median": float(np.median(known)), "most": float(known.max())}
