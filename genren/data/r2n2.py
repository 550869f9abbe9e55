"""The layout and metadata of 3D-R2N2's ShapeNetRendering archive.

`ShapeNetRendering/<synset>/<model>/rendering/` holds `00.png` to `23.png`, `renderings.txt`, `rendering_metadata.txt`.
Line i of the metadata belongs to image i: `azimuth elevation in_plane_rotation distance_ratio fov`, in degrees. What
the numbers mean is said in genren.geometry.camera; the last column, always 25, is not the field of view.
"""

import io
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

# Largest side of a picture, looked at before it is decoded.
PIXEL_LIMIT = 4096

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
    write_names(folder, len(views))


def write_names(folder: Path, count: int) -> None:
    """Write `renderings.txt`."""
    (folder / NAMES).write_text("".join(f"{image_name(index)}\n" for index in range(count)))


def read_views(folder: Path) -> Views:
    """Read a model's `rendering_metadata.txt`; a missing, malformed or rotated line is an error that names it."""
    path = folder / METADATA
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a line 'azimuth elevation in_plane ratio fov' per image")
    return parse_views(path.read_text(errors="replace"), str(path))


def parse_views(text: str, place: str) -> Views:
    """The views of a `rendering_metadata.txt`."""
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            row = []
        if len(row) != 5 or not all(map(math.isfinite, row)):
            raise InputError(f"{place}, line {number} is {line!r}; expected 'azimuth elevation in_plane ratio fov'")
        # The cameras have no in-plane rotation, and the archive none that is not zero.
        if row[2] != 0:
            raise InputError(f"{place}, line {number} has the in-plane rotation {row[2]}; expected 0")
        rows.append(row)
    if not rows:
        raise InputError(f"{place} is empty; expected a line 'azimuth elevation in_plane ratio fov' per image")
    table = np.array(rows)
    return Views(table[:, 0], table[:, 1], table[:, 3])


def read_image(path: Path, size: int | None = None) -> np.ndarray:
    """Read an image as (S, S, 4) uint8 straight RGBA; anything but a whole, square RGBA PNG of `size` is an error."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected {_expected(('RGBA',), size)}")
    return decode_image(path.read_bytes(), str(path), size)


def decode_image(data: bytes, place: str, size: int | None = None, modes: tuple[str, ...] = ("RGBA",)) -> np.ndarray:
    """Pixels (S, S) or (S, S, C) of a square PNG in one of these modes. Sizes are looked at before it is decoded."""
    expected = _expected(modes, size)
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            # The mode before anything is decoded: converting would invent an alpha channel.
            if image.mode not in modes:
                alpha = ", so no usable alpha" if modes == ("RGBA",) else ""
                raise InputError(f"{place} has the mode {image.mode}{alpha}; expected {expected}")
            if image.width != image.height or image.width > PIXEL_LIMIT or (size and image.width != size):
                raise InputError(f"{place} is {image.width}x{image.height} pixels; expected {expected}")
            return np.asarray(image)
    except InputError:
        raise
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(f"{place} cannot be decoded ({error}); expected {expected}") from None


def _expected(modes: tuple[str, ...], size: int | None) -> str:
    kind = "an RGBA PNG" if modes == ("RGBA",) else f"a PNG of mode {' or '.join(modes)}"
    return f"{kind} of {size}x{size} pixels" if size else f"{kind}, square and at most {PIXEL_LIMIT} pixels wide"


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write (S, S, 4) uint8 straight RGBA as PNG."""
    # Flat renders pack well at any level; a low one is several times as fast.
    Image.fromarray(pixels).save(path, format="PNG", compress_level=3)
