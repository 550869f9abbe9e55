"""Cabinets: wardrobes, sideboards, chests of drawers, bookcases, hutches, stepped shelves; open and closed."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.cabinet_fittings import (
    Carcass,
    Style,
    add_front,
    add_support,
    add_tops,
    board_over,
    foot_height,
    goods_in,
)
from genren.data.procedural.parts import Assembly, Solid, Span, box


class Kind(NamedTuple):
    """What cabinets of a kind have in common: ranges in metres."""

    width: Span
    height: Span
    depth: Span
    open_share: float  # of the cells: those without a door or drawer


KINDS = {
    "wardrobe": Kind((0.6, 1.6), (1.7, 2.3), (0.45, 0.75), 0.05),
    "locker": Kind((0.3, 0.55), (1.2, 2.0), (0.3, 0.55), 0.1),
    "sideboard": Kind((1.2, 2.4), (0.5, 0.9), (0.35, 0.6), 0.2),
    "chest": Kind((0.5, 1.3), (0.7, 1.3), (0.4, 0.6), 0.0),
    "cube": Kind((0.4, 0.7), (0.4, 0.75), (0.4, 0.7), 0.25),
    "bookcase": Kind((0.6, 1.5), (0.9, 2.1), (0.25, 0.45), 1.0),
    "bench": Kind((1.0, 2.0), (0.35, 0.5), (0.35, 0.65), 0.3),
    "island": Kind((0.8, 1.6), (0.8, 1.0), (0.7, 1.2), 0.1),
}

ROW_SPAN = (0.22, 0.75)  # heights a row of cells may have
COLUMN_SPAN = (0.3, 0.7)  # widths a column of cells may have


def build(rng: np.random.Generator) -> Assembly:
    """One cabinet; width along x, front at the largest z."""
    parts = Assembly()
    kind = KINDS[list(KINDS)[rng.integers(len(KINDS))]]
    width, height, depth = (float(np.exp(rng.uniform(*np.log(span)))) for span in kind[:3])
    style = _style(rng, width, height, kind.open_share)

    support = str(rng.choice(["legs", "legs", "plinth", "floor"]))
    foot = foot_height(rng, support, height)
    carcasses = _carcasses(rng, width, foot, height, depth)
    stand = min(carcass.depth for carcass in carcasses if carcass.y[0] == foot)
    add_support(parts, rng, style, support, (width, height, stand), foot)
    for carcass in carcasses:
        _add_carcass(parts, rng, style, carcass, width, height)
    if rng.random() < 0.6:
        add_tops(parts, rng, style, carcasses)
    return parts


def _style(rng: np.random.Generator, width: float, height: float, open_share: float) -> Style:
    """Looks and the grid of cells."""
    wood_color = m.wood_color(rng)
    body = m.textured(m.wood(rng, wood_color)) if rng.random() < 0.6 else m.timber(rng)
    fill = rng.random() < 0.5
    if fill:
        door = m.textured(m.panel(rng, wood_color if rng.random() < 0.6 else m.paint_color(rng)))
    else:
        door = body if rng.random() < 0.3 else m.timber(rng)
    return Style(
        body=body,
        door=door,
        drawer=door if rng.random() < 0.6 else m.timber(rng),
        handle=m.metal(rng),
        goods=m.textured(m.stripes(rng, m.tint(rng, (0.3, 0.8), (0.3, 0.8)))),
        lining=m.timber(rng) if rng.random() < 0.6 else None,
        knobs=rng.random() < 0.4,
        fill=fill,
        open_share=open_share,
        drawer_share=float(rng.choice([0, 0.4, 1.0])),
        rows=_divisions(rng, height, ROW_SPAN),
        columns=_divisions(rng, width, COLUMN_SPAN),
    )


def _divisions(rng: np.random.Generator, length: float, span: tuple[float, float]) -> int:
    """Into how many cells a length is divided, so that each lies within a span or near it."""
    fewest, most = max(1, round(length / span[1])), max(1, round(length / span[0]))
    return int(rng.integers(fewest, min(most, fewest + 3) + 1))


def _carcasses(rng: np.random.Generator, width: float, foot: float, height: float, depth: float) -> list[Carcass]:
    """How the volume is composed: one box, a shallow one on a deep one, steps, or a tall bay between two low wings."""
    left, right = -width / 2, width / 2
    room = height - foot
    kind = rng.choice(["plain", "hutch", "steps", "bay"], p=[0.5, 0.2, 0.18, 0.12])
    if kind == "hutch" and room > 0.5:
        waist = foot + room * rng.uniform(0.35, 0.6)
        inset = width * rng.choice([0, 0.08, 0.2])
        return [
            Carcass((left, right), (foot, waist), depth),
            Carcass((left + inset, right - inset), (waist, height), depth * rng.uniform(0.4, 0.75)),
        ]
    if kind == "steps" and width > 0.6:
        count = int(rng.integers(2, 4))
        edges = np.linspace(left, right, count + 1)
        tops = foot + room * np.linspace(1, rng.uniform(0.3, 0.6), count)[:: rng.choice([-1, 1])]
        return [Carcass((edges[i], edges[i + 1]), (foot, tops[i]), depth) for i in range(count)]
    if kind == "bay" and width > 0.9:
        half = width * rng.uniform(0.14, 0.28)
        low, shallow = foot + room * rng.uniform(0.45, 0.8), depth * rng.uniform(0.6, 1)
        wings = [Carcass((left, -half), (foot, low), shallow), Carcass((half, right), (foot, low), shallow)]
        return [Carcass((-half, half), (foot, height), depth), *wings]
    return [Carcass((left, right), (foot, height), depth)]


def _add_carcass(
    parts: Assembly, rng: np.random.Generator, style: Style, carcass: Carcass, width: float, height: float
) -> None:
    """A carcass and its front. The front is tiled cell by cell: a cell is a flat tile, or a recess behind its rim."""
    (x0, x1), (y0, y1), depth = carcass.x, carcass.y, carcass.depth
    columns = max(1, round(style.columns * (x1 - x0) / width))
    rows = max(1, round(style.rows * (y1 - y0) / height))
    board = 0.02 + 0.02 * min(x1 - x0, y1 - y0)
    xs, ys = _grid(x0, x1, columns, board), _grid(y0, y1, rows, board)
    recess = depth * rng.uniform(0.45, 0.8)
    drawers = rng.random(rows) < style.drawer_share

    size, center = (x1 - x0, y1 - y0, depth), ((x0 + x1) / 2, (y0 + y1) / 2, depth / 2)
    shell = [box(size, center, without="front")]
    for i in range(len(xs) - 1):
        for j in range(len(ys) - 1):
            cell = (xs[i], xs[i + 1], ys[j], ys[j + 1])
            board_only = i % 2 == 0 or j % 2 == 0
            if board_only or rng.random() >= style.open_share:
                shell.append(_tile(cell, depth))
                if not board_only:
                    add_front(parts, style, cell, depth, drawer=bool(drawers[j // 2]), hinge=i // 2 % 2)
            else:
                shell.append(_recess(cell, depth, recess))
                if style.lining is not None:
                    parts.add("lining", style.lining, board_over(cell, depth - recess, 0.01))
                if rng.random() < 0.35:
                    parts.add("goods", style.goods, goods_in(rng, cell, depth, recess))
    parts.add("body", style.body, *shell)


def _grid(start: float, stop: float, cells: int, board: float) -> list[float]:
    """Edges of boards and cells in turn: board, cell, board, ..., board."""
    pitch = (stop - start - board) / cells
    edges = [start]
    for i in range(cells):
        edges += [start + i * pitch + board, start + (i + 1) * pitch]
    return [*edges, stop]


def _tile(cell: Sequence[float], depth: float) -> Solid:
    """The front of a closed cell or of a board."""
    board = board_over(cell, depth - 0.01, 0.01)
    # The last two faces of a board, each with three vertices of its own, are the end of its loft: the front.
    return Solid(board.vertices[-6:], board.faces[:2], board.uvs[-6:])


def _recess(cell: Sequence[float], depth: float, recess: float) -> Solid:
    """The inside of an open cell: four walls and the back."""
    x0, x1, y0, y1 = cell
    size, center = (x1 - x0, y1 - y0, recess), ((x0 + x1) / 2, (y0 + y1) / 2, depth - recess / 2)
    return box(size, center, without="front").inverted()
