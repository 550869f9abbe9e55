"""Chairs: dining and bar chairs, armchairs, office chairs, sled bases, pedestals, loungers, thrones."""

from typing import NamedTuple

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.chair_fittings import BACKS, BASES, Frame, Looks, add_arms
from genren.data.procedural.parts import Assembly, Span, chamfered, circle, cushion, loft


class Kind(NamedTuple):
    """What chairs of a kind have in common: ranges in metres, what they may be made of."""

    width: Span  # of the seat
    depth: Span
    seat: Span  # height of the seat
    back: Span  # height of the back over the seat
    bases: tuple[str, ...]
    backs: tuple[str, ...]
    arms: float = 0.3  # probability
    soft: float = 0.4  # probability of upholstery


KINDS = {
    "dining": Kind((0.38, 0.52), (0.38, 0.5), (0.42, 0.5), (0.35, 0.65), ("legs", "sled"), ("slab", "slats", "ladder")),
    "bar": Kind(
        (0.34, 0.45), (0.32, 0.42), (0.62, 0.82), (0.12, 0.4), ("legs", "pedestal", "sled"), ("slab", "ladder"), 0
    ),
    "office": Kind((0.45, 0.58), (0.42, 0.52), (0.45, 0.55), (0.35, 0.8), ("star",), ("cushion", "slab"), 0.6, 1),
    "club": Kind((0.5, 0.8), (0.5, 0.75), (0.35, 0.45), (0.25, 0.55), ("block", "legs"), ("cushion",), 1, 1),
    "lounge": Kind(
        (0.5, 0.7), (0.55, 0.8), (0.25, 0.35), (0.4, 0.7), ("sled", "legs", "panels"), ("cushion", "slats"), 0.6, 1
    ),
    "throne": Kind(
        (0.45, 0.7), (0.4, 0.55), (0.4, 0.5), (0.8, 1.3), ("block", "legs", "panels"), ("slab", "slats"), 0.7
    ),
    "shell": Kind(
        (0.42, 0.62), (0.42, 0.55), (0.4, 0.48), (0.3, 0.5), ("pedestal", "legs", "sled"), ("slab", "cushion")
    ),
    "wide": Kind((0.75, 1.1), (0.42, 0.6), (0.38, 0.46), (0.25, 0.5), ("legs", "panels", "block"), ("slab", "slats")),
}

# Between a disc and a square, so that legs at the corners still meet the seat.
ROUNDED = np.sign(circle(16)) * np.abs(circle(16)) ** 0.6


def build(rng: np.random.Generator) -> Assembly:
    """One chair; the back at negative z."""
    name = list(KINDS)[rng.integers(len(KINDS))]
    kind = KINDS[name]
    width, depth, seat, back = (float(rng.uniform(*span)) for span in kind[:4])
    soft = rng.random() < kind.soft
    frame = Frame(
        width,
        depth,
        seat,
        back,
        thick=rng.uniform(0.08, 0.18) if soft else rng.uniform(0.04, 0.07),
        bar=max(0.05, 0.055 * (seat + back)) * rng.uniform(1, 1.35),
        tilt=rng.uniform(12, 32) if name == "lounge" else rng.uniform(0, 14),
    )
    looks = _looks(rng, soft)

    parts = Assembly()
    _add_seat(parts, rng, frame, looks, soft, round_seat=name in ("bar", "shell") and rng.random() < 0.5)
    BASES[str(rng.choice(kind.bases))](parts, rng, frame, looks)
    BACKS[str(rng.choice(kind.backs))](parts, rng, frame, looks)
    if rng.random() < kind.arms:
        add_arms(parts, rng, frame, looks, block=name == "club")
    return parts


def _looks(rng: np.random.Generator, soft: bool) -> Looks:
    """Wood, lacquer, metal or vertex colours for the frame; cloth for the soft parts."""
    choice = rng.random()
    if choice < 0.45:
        frame: m.Look = m.textured(m.wood(rng, m.wood_color(rng)))
    elif choice < 0.6:
        frame = m.metal(rng)
    elif choice < 0.8:
        color = m.paint_color(rng)
        frame = m.Fade(color * rng.uniform(0.35, 0.7), color)
    else:
        frame = m.flat(m.paint_color(rng))
    seat = m.upholstery(rng) if soft else frame if rng.random() < 0.5 else m.timber(rng)
    return Looks(frame, seat, back=seat if rng.random() < 0.75 else m.timber(rng))


def _add_seat(
    parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks, soft: bool, round_seat: bool
) -> None:
    """A board, a cushion or a disc."""
    w, d = frame.width, frame.depth
    if round_seat:
        profile = [(frame.under, 0.92), (frame.seat - 0.02, 1), (frame.seat, 0.94)]
        rows = [(0.0, y, 0.0, w * share, d * share) for y, share in profile]
        parts.add("seat", looks.seat, loft(1, ROUNDED, rows).projected())
    elif soft:
        low, high = (-w / 2, frame.under, -d / 2), (w / 2, frame.seat, d / 2)
        parts.add("seat", looks.seat, cushion(1, low, high, rng.uniform(0.02, 0.05)))
    else:
        # Narrower at the back, as wooden seats are.
        rear = w * rng.uniform(0.8, 1)
        rows = [(0.0, frame.seat - frame.thick / 2, z, x, frame.thick) for z, x in ((-d / 2, rear), (d / 2, w))]
        parts.add("seat", looks.seat, loft(2, chamfered(0.06, 0.3), rows).projected())
