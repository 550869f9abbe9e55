"""The layout and metadata of 3D-R2N2's ShapeNetRendering archive.

`ShapeNetRendering/<synset>/<model>/rendering/` holds `00.png` to `23.png`, `renderings.txt`, `rendering_metadata.txt`.
Line i of the metadata belongs to image i: `azimuth elevation in_plane_rotation distance_ratio fov`, in degrees. What
the numbers mean is said in genren.geometry.camera; the last column, always 25, is not the field of view.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from genren.categories import synset
from genren.errors import InputError

RENDERING = "ShapeNetRendering"
METADATA = "rendering_metadata.txt"
NAMES = "renderings.txt"
FOV_COLUMN = 25

# Ranges from which 3D-R2N2 drew its views.
ELEVATION = (25.0, 30.0)
DISTANCE_RATIO = (0.65, 0.95)

# As many decimals as are written, so that a view is rendered from exactly the numbers in its metadata.
DECIMALS = 6


@dataclass(frozen=True)
class Views:
    """Where a model's images were taken from, each (N,) float64."""

    azimuth: np.ndarray  # degrees, [0, 360)
    elevation: np.ndarray  # degrees
    distance_ratio: np.ndarray  # camera distance over its largest, 1.75

    def __len__(self) -> int:
        return len(self.azimuth)


def draw_views(count: int, rng: np.random.Generator) -> Views:
    """Draw views as 3D-R2N2 did: all around, from slightly above, near to far."""
    azimuth = np.round(rng.uniform(0, 360, count), DECIMALS) % 360
    return Views(
        azimuth,
        np.round(rng.uniform(*ELEVATION, count), DECIMALS),
        np.round(rng.uniform(*DISTANCE_RATIO, count), DECIMALS),
    )


def rendering_folder(root: Path, category: str, model: str) -> Path:
    """Folder of one model's images and metadata, `root` being the folder that holds ShapeNetRendering."""
    return root / RENDERING / synset(category) / model / "rendering"


def image_name(index: int) -> str:
    """File name of a view."""
    return f"{index:02d}.png"


def list_models(root: Path, category: str) -> list[str]:
    """Names of the models of a category, sorted; a missing or empty category is an error."""
    folder = root / RENDERING / synset(category)
    models = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if not models:
        found = "is empty" if folder.is_dir() else "does not exist"
        raise InputError(
            f"{folder} {found}; expected a folder per model with rendering/{METADATA}: fetch {category} first"
        )
    return models


def write_views(folder: Path, views: Views) -> None:
    """Write `rendering_metadata.txt` and `renderings.txt` into a model's rendering folder."""
    lines = [
        f"{azimuth} {elevation} 0 {ratio} {FOV_COLUMN}"
        for azimuth, elevation, ratio in zip(
            views.azimuth.tolist(), views.elevation.tolist(), views.distance_ratio.tolist(), strict=True
        )
    ]
    (folder / METADATA).write_text("".join(f"{line}\n" for line in lines))
    (folder / NAMES).write_text("".join(f"{image_name(index)}\n" for index in range(len(views))))


def read_views(folder: Path) -> Views:
    """Read a model's `rendering_metadata.txt`; a missing, malformed or rotated line is an error that names it."""
    path = folder / METADATA
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a line 'azimuth elevation in_plane ratio fov' per image")
    rows = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            row = []
        if len(row) != 5 or not all(map(math.isfinite, row)):
            raise InputError(f"{path}, line {number} is {line!r}; expected 'azimuth elevation in_plane ratio fov'")
        # The cameras have no in-plane rotation, and the archive none that is not zero.
        if row[2] != 0:
            raise InputError(f"{path}, line {number} has the in-plane rotation {row[2]}; expected 0")
        rows.append(row)
    if not rows:
        raise InputError(f"{path} is empty; expected a line 'azimuth elevation in_plane ratio fov' per image")
    table = np.array(rows)
    return Views(table[:, 0], table[:, 1], table[:, 3])


def read_image(path: Path, size: int | None = None) -> np.ndarray:
    """Read an image as (S, S, 4) uint8 straight RGBA; anything but a whole, square RGBA PNG of `size` is an error."""
    expected = f"an RGBA PNG of {size}x{size} pixels" if size else "a square RGBA PNG"
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected {expected}")
    try:
        with Image.open(path, formats=["PNG"]) as image:
            # The mode before anything is decoded: converting would invent an alpha channel.
            mode, width, height = image.mode, image.width, image.height
            pixels = np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{path} cannot be decoded ({error}); expected {expected}") from None
    if mode != "RGBA":
        raise InputError(f"{path} has the mode {mode}, so no usable alpha; expected {expected}")
    if width != height or (size is not None and width != size):
        raise InputError(f"{path} is {width}x{height} pixels; expected {expected}")
    return pixels


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write (S, S, 4) uint8 straight RGBA as PNG."""
    # Flat renders pack well at any level; a low one is several times as fast.
    Image.fromarray(pixels).save(path, format="PNG", compress_level=3)
