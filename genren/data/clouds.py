"""Oriented point clouds: reading them and bringing them into the method's canonical frame."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genren.categories import synset
from genren.data.arrays import read_npz
from genren.errors import InputError
from genren.files import replacing


@dataclass(frozen=True)
class Cloud:
    """A cloud in the canonical frame, box centred and longest side 1, and the way there: (raw - center) * scale."""

    points: np.ndarray  # (P, 3) float32
    normals: np.ndarray  # (P, 3) float32, unit length, outward
    center: np.ndarray  # (3,), raw units
    scale: float
    dropped: int  # points that were left out, because they or their normal were not finite or the normal zero


def cloud_file(root: Path, category: str, model: str) -> Path:
    """The cloud of one model, `root` being the folder that holds ShapeNetRendering and clouds."""
    return root / "clouds" / synset(category) / model / "pointcloud.npz"


def write_cloud(path: Path, points: np.ndarray, normals: np.ndarray) -> None:
    """Write points and normals (N, 3) as float32."""
    with replacing(path) as temporary:
        np.savez(temporary, points=points.astype(np.float32), normals=normals.astype(np.float32))


def read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals (N, 3) of a cloud file; one without either, or of other shapes, is an error."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected an .npz file of points and normals, each (N, 3)")
    return parse_cloud(path.read_bytes(), str(path))


def parse_cloud(data: bytes, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals (N, 3) of the content of a cloud file."""
    arrays = read_npz(data, place)
    for name in ("points", "normals"):
        if name not in arrays:
            found = ", ".join(arrays) or "nothing"
            raise InputError(f"{place} has no {name}, only {found}; expected points and normals, each (N, 3)")
    points, normals = arrays["points"], arrays["normals"]
    if points.ndim != 2 or points.shape[1] != 3 or points.shape != normals.shape or points.dtype.kind != "f":
        raise InputError(
            f"{place} has points {points.shape} and normals {normals.shape} of {points.dtype}; expected floats (N, 3)"
        )
    return points, normals


def canonical_cloud(points: np.ndarray, normals: np.ndarray, count: int, rng: np.random.Generator) -> Cloud:
    """Clean a raw cloud (N, 3), bring it into the canonical frame and draw `count` of its points.

    Points are drawn without replacement; of a cloud with fewer, each is taken as often as it fits and the rest drawn.
    """
    points, normals = points.astype(np.float64), normals.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(normals, axis=1)
    good = np.isfinite(points).all(axis=1) & np.isfinite(lengths) & (lengths > 0)
    dropped = int((~good).sum())
    if not good.any():
        raise InputError(f"the cloud has no usable point among {len(points)}; expected finite points with normals")
    points, normals = points[good], normals[good] / lengths[good, None]

    lower, upper = points.min(axis=0), points.max(axis=0)
    center, longest = (lower + upper) / 2, float((upper - lower).max())
    if not longest > 0:
        raise InputError(f"the cloud's {len(points)} usable points are one and the same; expected an extent")
    whole, rest = divmod(count, len(points))
    chosen = np.concatenate([np.tile(np.arange(len(points)), whole), rng.permutation(len(points))[:rest]])
    return Cloud(
        ((points[chosen] - center) / longest).astype(np.float32),
        normals[chosen].astype(np.float32),
        center,
        1 / longest,
        dropped,
    )
