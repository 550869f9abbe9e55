"""What the procedural models wear: painted textures, flat colours and vertex colours.

Colours are sRGB in [0, 1] wherever they are chosen or painted. Textures stay sRGB, as glTF wants them; its factors and
vertex colours are linear light, and are converted here.
"""

import colorsys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image
from trimesh.visual.material import PBRMaterial

from genren.geometry.color import srgb_to_linear

Color = np.ndarray  # (3,) sRGB in [0, 1]
Painter = Callable[[np.random.Generator, Color], np.ndarray]  # -> (H, W, 3) sRGB in [0, 1]

TEXTURE_SIZE = 64

WOODS = np.array(
    [
        (0.80, 0.64, 0.44),  # oak
        (0.87, 0.76, 0.58),  # birch
        (0.45, 0.28, 0.17),  # walnut
        (0.55, 0.22, 0.13),  # mahogany
        (0.27, 0.19, 0.15),  # wenge
        (0.72, 0.45, 0.25),  # cherry
        (0.62, 0.56, 0.50),  # driftwood
    ]
)


@dataclass(frozen=True)
class Fade:
    """Vertex colours that run from the foot of a part to its top."""

    low: Color
    high: Color

    def paint(self, heights: np.ndarray) -> np.ndarray:
        """Linear RGBA (V, 4) uint8 for the heights (V,) of a part's vertices."""
        share = (heights - heights.min()) / max(np.ptp(heights), 1e-9)
        colors = self.low + share[:, None] * (self.high - self.low)
        opaque = np.ones((len(heights), 1))
        return np.round(255 * np.concatenate([srgb_to_linear(colors), opaque], axis=1)).astype(np.uint8)


Look = PBRMaterial | Fade


def flat(color: Sequence[float] | Color, metallic: float = 0.0) -> PBRMaterial:
    """A material of one colour."""
    factor = np.round(255 * np.append(srgb_to_linear(np.asarray(color)), 1)).astype(np.uint8)
    return PBRMaterial(baseColorFactor=factor, metallicFactor=metallic, roughnessFactor=0.7)


def textured(pixels: np.ndarray, metallic: float = 0.0) -> PBRMaterial:
    """A material that wears a picture (H, W, 3), sRGB in [0, 1], top row first."""
    image = Image.fromarray(np.round(255 * pixels.clip(0, 1)).astype(np.uint8))
    return PBRMaterial(baseColorTexture=image, metallicFactor=metallic, roughnessFactor=0.7)


def tint(rng: np.random.Generator, saturation: tuple[float, float], value: tuple[float, float]) -> Color:
    """A colour of any hue, with saturation and value drawn from the given ranges."""
    return np.array(colorsys.hsv_to_rgb(rng.random(), rng.uniform(*saturation), rng.uniform(*value)))


def grey(rng: np.random.Generator, low: float, high: float) -> Color:
    """A grey drawn between two values."""
    return np.full(3, rng.uniform(low, high))


def paint_color(rng: np.random.Generator) -> Color:
    """A colour in which furniture and vehicles are lacquered: often white, grey or black, else strong."""
    return grey(rng, 0.12, 0.95) if rng.random() < 0.3 else tint(rng, (0.35, 0.9), (0.3, 0.95))


def metal(rng: np.random.Generator) -> PBRMaterial:
    """Chrome, steel, brass or black iron."""
    colors = [(0.82, 0.84, 0.86), (0.6, 0.62, 0.65), (0.78, 0.65, 0.35), (0.13, 0.13, 0.14)]
    return flat(colors[rng.integers(len(colors))], metallic=0.8)


def cloud(rng: np.random.Generator, rows: int, columns: int, size: int = TEXTURE_SIZE) -> np.ndarray:
    """Smooth noise (size, size) in [-1, 1] with about rows x columns blobs."""
    grid = Image.fromarray(rng.uniform(-1, 1, (rows + 1, columns + 1)).astype(np.float32))
    return np.asarray(grid.resize((size, size), Image.Resampling.BICUBIC), dtype=float).clip(-1, 1)


def coordinates(size: int = TEXTURE_SIZE) -> tuple[np.ndarray, np.ndarray]:
    """Row and column (size, size) of every texel's centre, in [0, 1], top row first."""
    centers = (np.arange(size) + 0.5) / size
    row, column = np.meshgrid(centers, centers, indexing="ij")
    return row, column


def wood(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Wood grain that runs upward."""
    _, column = coordinates()
    rings = np.sin(2 * np.pi * (rng.uniform(5, 10) * column + 0.4 * cloud(rng, 2, 6)))
    shade = 1 + 0.10 * rings + 0.14 * cloud(rng, 3, 31) + 0.05 * cloud(rng, 2, 2)
    return color * shade[..., None]


def planks(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Upright boards, each of its own shade."""
    _, column = coordinates()
    boards = int(rng.integers(4, 9))
    shades = rng.uniform(0.8, 1.15, boards)[(column * boards).astype(int)]
    return wood(rng, color) * np.where(column * boards % 1 < 0.1, 0.55, shades)[..., None]


def weave(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Coarse cloth of two threads."""
    row, column = coordinates()
    threads = 16
    over = ((row * threads).astype(int) + (column * threads).astype(int)) % 2
    shade = np.where(over, 1.08, 0.88) + 0.06 * cloud(rng, 31, 31)
    return color * shade[..., None]


def leather(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Leather, often with quilted seams."""
    row, column = coordinates()
    shade = 1 + 0.12 * cloud(rng, 9, 9) + 0.05 * cloud(rng, 31, 31)
    if rng.random() < 0.6:
        count = rng.integers(3, 6)
        slant = 1 if rng.random() < 0.5 else 0
        seams = [(count * (row + slant * column)) % 1, (count * (column - slant * row)) % 1]
        shade *= np.where(np.minimum(*seams) < 0.1, 0.6, 1)
    return color * shade[..., None]


def stripes(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Upright stripes of two colours."""
    _, column = coordinates()
    phase = column * rng.integers(4, 9) % 1
    return np.where((phase < rng.uniform(0.25, 0.6))[..., None], _companion(rng, color), color) * np.ones(3)


def checks(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Gingham: bands of a second colour both ways, darkest where they cross."""
    row, column = coordinates()
    count = rng.integers(3, 7)
    bands = ((row * count) % 1 < 0.5).astype(float) + ((column * count) % 1 < 0.5)
    return color + bands[..., None] / 2 * (_companion(rng, color) - color)


def dots(rng: np.random.Generator, color: Color) -> np.ndarray:
    """Dots or diamonds of a second colour, in staggered rows."""
    row, column = coordinates()
    count = rng.integers(3, 6)
    y = row * count
    x = column * count + (y.astype(int) % 2) / 2
    order = 1 if rng.random() < 0.5 else 2
    inside = np.abs((x % 1) - 0.5) ** order + np.abs((y % 1) - 0.5) ** order < 0.32**order
    return np.where(inside[..., None], _companion(rng, color), color)


def panel(rng: np.random.Generator, color: Color) -> np.ndarray:
    """A framed panel, for doors and drawers that fill their side with it: the field deepened, glazed or plain."""
    row, column = coordinates()
    margin = np.minimum(np.minimum(row, 1 - row), np.minimum(column, 1 - column))
    width = rng.uniform(0.12, 0.2)
    glazed = rng.random() < 0.25
    field = np.array([0.62, 0.74, 0.8]) if glazed else color * rng.uniform(0.8, 1.15)
    pixels = np.where((margin > width)[..., None], field, wood(rng, color))
    groove = (np.abs(margin - width) < 0.025) | (margin < 0.025)
    return np.where(groove[..., None], color * 0.45, pixels)


# Plain coverings are the more common ones.
UPHOLSTERY: tuple[Painter, ...] = (weave, weave, leather, leather, stripes, checks, dots)


def upholstery(rng: np.random.Generator) -> PBRMaterial:
    """A covering for seats: cloth or leather, plain or patterned."""
    painter = UPHOLSTERY[rng.integers(len(UPHOLSTERY))]
    return textured(painter(rng, tint(rng, (0.1, 0.75), (0.3, 0.9))))


def timber(rng: np.random.Generator) -> PBRMaterial:
    """A body for furniture: mostly grained wood or planks, else a coat of paint."""
    if rng.random() < 0.25:
        return flat(paint_color(rng))
    painter = wood if rng.random() < 0.75 else planks
    return textured(painter(rng, wood_color(rng)))


def wood_color(rng: np.random.Generator) -> Color:
    """A natural colour of wood."""
    return (WOODS[rng.integers(len(WOODS))] * rng.uniform(0.85, 1.15)).clip(0, 1)


def _companion(rng: np.random.Generator, color: Color) -> Color:
    """A second colour that stands out from the first."""
    other = tint(rng, (0.1, 0.7), (0.2, 0.95))
    return (
        other if np.abs(other - color).max() > 0.3 else np.where(color.mean() > 0.5, color * 0.4, 1 - 0.4 * (1 - color))
    )
