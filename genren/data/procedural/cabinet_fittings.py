"""What is fitted to a cabinet's boxes: legs and plinths, doors and drawers, tops, goods in open cells."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.parts import RECTANGLE, Assembly, Solid, box, chamfered, loft

OVERLAY = 0.018  # how far doors and drawers stand out from the front


@dataclass(frozen=True)
class Carcass:
    """A box of the cabinet: left and right, bottom and top, depth; its back stands at z = 0."""

    x: tuple[float, float]
    y: tuple[float, float]
    depth: float


@dataclass(frozen=True)
class Style:
    """What all carcasses of one cabinet share."""

    body: m.Look
    door: m.Look
    drawer: m.Look
    handle: m.Look
    goods: m.Look
    lining: m.Look | None  # back panel of open cells
    knobs: bool  # knobs, else bars
    fill: bool  # the doors' texture fills each door
    open_share: float
    drawer_share: float
    rows: int  # rows of cells over the whole height
    columns: int  # columns of cells over the whole width


def foot_height(rng: np.random.Generator, support: str, height: float) -> float:
    """Height at which the body begins."""
    if support == "legs":
        # Low bodies may stand on long legs: the gap is a large part of such a cabinet's outline.
        return height * rng.uniform(0.08, 0.4 if height < 1.1 else 0.15)
    return 0.07 * height + 0.03 if support == "plinth" else 0.0


def add_support(
    parts: Assembly,
    rng: np.random.Generator,
    style: Style,
    support: str,
    size: tuple[float, float, float],
    foot: float,
) -> None:
    """Four legs or a plinth under a cabinet of the given width, height and depth on the ground."""
    width, height, depth = size
    if support == "plinth":
        center = (0, foot / 2, depth / 2 - 0.02)
        parts.add("plinth", style.body, box((width - 0.08, foot, depth - 0.06), center, without="top"))
    elif support == "legs":
        thick = max(0.05 * height, 0.05) * rng.uniform(1, 1.6)
        rim = thick * rng.uniform(0.8, 1)
        look = m.metal(rng) if rng.random() < 0.3 else style.body if rng.random() < 0.5 else _dipped(rng)
        x = width / 2 - thick / 2 - 0.01
        for z in (thick / 2 + 0.01, depth - thick / 2 - 0.01):
            leg = loft(1, RECTANGLE, [(x, 0, z, rim, rim), (x, foot, z, thick, thick)], (True, False)).projected()
            parts.add_pair("legs", look, leg)


def _dipped(rng: np.random.Generator) -> m.Fade:
    """Wood that darkens towards the floor."""
    color = m.wood_color(rng)
    return m.Fade(color * rng.uniform(0.3, 0.7), color)


def board_over(cell: Sequence[float], z: float, thick: float, lip: float = 0, fill: bool = False) -> Solid:
    """A board over a cell, its open back at z, larger than the cell by `lip` in all."""
    x0, x1, y0, y1 = cell
    size, center = (x1 - x0 + lip, y1 - y0 + lip, thick), ((x0 + x1) / 2, (y0 + y1) / 2, z + thick / 2)
    return box(size, center, without="back", fill=fill)


def goods_in(rng: np.random.Generator, cell: Sequence[float], depth: float, recess: float) -> Solid:
    """A row of books, or a basket, standing in an open cell."""
    x0, x1, y0, y1 = cell
    width, height = (x1 - x0) * rng.uniform(0.5, 0.98), (y1 - y0) * rng.uniform(0.5, 0.85)
    x = x0 + width / 2 + (x1 - x0 - width) * rng.uniform(0.1, 0.9)
    size = (width, height, recess * 0.7)
    return box(size, (x, y0 + height / 2, depth - recess * 0.63), without="bottom", fill=True)


def add_front(parts: Assembly, style: Style, cell: Sequence[float], depth: float, drawer: bool, hinge: int) -> None:
    """A door or a drawer before a closed cell, with its handle."""
    x0, x1, y0, y1 = cell
    width, height = x1 - x0, y1 - y0
    x, y, z = (x0 + x1) / 2, (y0 + y1) / 2, depth + OVERLAY
    slab = board_over(cell, depth, OVERLAY, lip=0.01, fill=style.fill)
    grip = 0.035
    if drawer:
        parts.add("drawers", style.drawer, slab.turned() if width > height and not style.fill else slab)
        size = (grip, grip) if style.knobs else (0.4 * width, grip)
        y += 0.2 * height if height > 0.25 else 0
    else:
        parts.add("doors", style.door, slab)
        size = (grip, grip) if style.knobs else (grip, min(0.4 * height, 0.35))
        x += (0.5 - hinge) * 2 * (width / 2 - 0.06)
    handle = loft(2, chamfered(0.3, 0.3), [(x, y, z, *size), (x, y, z + 0.03, *size)], (False, True))
    parts.add("handles", style.handle, handle.projected())


def add_tops(parts: Assembly, rng: np.random.Generator, style: Style, carcasses: list[Carcass]) -> None:
    """Slabs on top that overhang a little: worktops and cornices."""
    look = style.body if rng.random() < 0.5 else m.timber(rng)
    overhang, thick = rng.uniform(0.005, 0.05), rng.uniform(0.02, 0.06)
    for carcass in carcasses:
        (x0, x1), top = carcass.x, carcass.y[1]
        covered = any(other.y[0] == top for other in carcasses)
        # Between neighbours of different height a slab may not run into the taller one.
        lip = overhang if len(carcasses) == 1 else 0.0
        size = (x1 - x0 + 2 * lip, thick, carcass.depth + overhang)
        center = ((x0 + x1) / 2, top + thick / 2, size[2] / 2)
        if not covered:
            parts.add("top", look, box(size, center).turned())
