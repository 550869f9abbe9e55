"""What is fitted to a chair's seat: bases, backs, arms."""

from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.parts import RECTANGLE, Assembly, Solid, box, chamfered, circle, cushion, loft


@dataclass(frozen=True)
class Frame:
    """Measures of one chair in metres."""

    width: float  # of the seat
    depth: float
    seat: float  # height of the seat's upper side
    back: float  # height of the back over the seat
    thick: float  # thickness of the seat
    bar: float  # thickness of legs and rails
    tilt: float  # of the back, degrees

    @property
    def under(self) -> float:
        """Height of the seat's lower side."""
        return self.seat - self.thick


@dataclass(frozen=True)
class Looks:
    """What a chair's frame and its soft parts wear."""

    frame: m.Look
    seat: m.Look
    back: m.Look


# Bases.


def _legs(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """Four legs: straight or splayed, tapered, square or round; sometimes joined by rungs."""
    outline = RECTANGLE if rng.random() < 0.6 else circle(8)
    taper, splay = rng.uniform(0.75, 1), rng.choice([0, rng.uniform(0.02, 0.09)])
    x, z = frame.width / 2 - frame.bar * 0.6, frame.depth / 2 - frame.bar * 0.6
    # The rear ends of wooden seats are narrower than the front.
    for end, inset in ((-1, 0.1 * frame.width), (1, 0.0)):
        foot = (x - inset + splay, 0, end * (z + splay), frame.bar * taper, frame.bar * taper)
        top = (x - inset, frame.under, end * z, frame.bar, frame.bar)
        leg = loft(1, outline, [foot, top], (True, False)).projected()
        parts.add_pair("legs", looks.frame, leg)
    if rng.random() < 0.35:
        height = frame.under * rng.uniform(0.25, 0.6)
        rung = box((frame.bar * 0.7, frame.bar * 0.8, 2 * z), (x - 0.05 * frame.width + splay / 2, height, 0))
        cross = box((2 * x - 0.1 * frame.width, frame.bar * 0.8, frame.bar * 0.7), (0, height, 0))
        parts.add("rungs", looks.frame, rung, rung.mirrored(), cross)


def _sled(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """A closed frame of bars on either side; the front bar alone carries a cantilever chair."""
    bar, x, z = frame.bar, frame.width / 2 - frame.bar / 2, frame.depth / 2 - frame.bar / 2
    post = box((bar, frame.under, bar), (x, frame.under / 2, z), without="top")
    runner = box((bar, bar, frame.depth - bar), (x, bar / 2, -bar / 2), without="front")
    sides = [post, runner]
    if rng.random() < 0.5:
        sides.append(box((bar, frame.under - bar, bar), (x, (frame.under + bar) / 2, -z), without="top"))
    else:
        parts.add("legs", looks.frame, box((2 * x - bar, bar, bar), (0, bar / 2, -z)))
    parts.add_pair("legs", looks.frame, *sides)


def _panels(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """A board on either side instead of legs, perhaps with one behind."""
    thick, x = frame.bar, frame.width / 2 - frame.bar / 2
    rows = [(x, 0, 0, thick, frame.depth * rng.uniform(0.6, 1)), (x, frame.under, 0, thick, frame.depth)]
    board = loft(1, RECTANGLE, rows, (True, False)).projected()
    parts.add_pair("legs", looks.frame, board)
    if rng.random() < 0.5:
        size, center = (2 * x - thick, 0.6 * frame.under, thick), (0, 0.7 * frame.under, -0.3 * frame.depth)
        parts.add("legs", looks.frame, box(size, center, without="top"))


def _block(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """A solid body down to the floor, or to short feet."""
    foot = rng.choice([0.0, rng.uniform(0.06, 0.14)])
    inset = rng.uniform(0, 0.05)
    size = (frame.width - inset, frame.under - foot, frame.depth - inset)
    body = looks.back if rng.random() < 0.7 else looks.frame
    parts.add("body", body, box(size, (0, foot + size[1] / 2, 0), without="top"))
    if foot:
        x, bar = size[0] / 2 - frame.bar, 1.4 * frame.bar
        for z in (-1, 1):
            center = (x, foot / 2, z * (size[2] / 2 - frame.bar))
            leg = box((bar, foot, bar), center, without="top")
            parts.add_pair("legs", looks.frame, leg)


def _pedestal(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """One column on a disc or a cross."""
    reach, neck = frame.width * rng.uniform(0.75, 1.05), frame.bar * rng.uniform(1, 1.8)
    profile = [(0, reach), (0.06, reach), (0.12, 0.45 * reach), (0.25, neck), (0.75, neck), (1, 2.2 * neck)]
    rows = [(0, share * frame.under, 0, size, size) for share, size in profile]
    parts.add("legs", looks.frame, loft(1, circle(14), rows, (True, False)))


def _star(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """The five-armed base of an office chair, with castors."""
    reach, height = 0.5 * frame.width * rng.uniform(1, 1.25), 0.1
    dark = m.flat(m.grey(rng, 0.05, 0.25))
    bar = frame.bar
    arm = loft(2, RECTANGLE, [(0, height, 0, bar, bar), (0, height - 0.02, reach, 0.8 * bar, 0.7 * bar)]).projected()
    castor = loft(0, circle(8), [(x, 0.035, reach, 0.07, 0.07) for x in (-0.025, 0.025)]).projected()
    for k in range(5):
        parts.add("legs", looks.frame, arm.rotated(1, 72 * k))
        parts.add("castors", dark, castor.rotated(1, 72 * k))
    rows = [(0, height - 0.03, 0, 1.6 * bar, 1.6 * bar), (0, frame.under, 0, 1.3 * bar, 1.3 * bar)]
    parts.add("column", dark, loft(1, circle(10), rows, (True, False)).projected())


def _upright(frame: Frame, solid: Solid) -> Solid:
    """A part of the back, built upright on the seat, leaned back about the seat's rear edge."""
    return solid.rotated(0, -frame.tilt, (0, frame.seat, -frame.depth / 2))


# Backs: built upright on the seat's rear edge, then leaned back.


def _slab(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """One board, straight or narrowing upward or shoulder-round, perhaps lifted over the seat on two posts."""
    thick, gap = rng.uniform(0.04, 0.07), frame.back * rng.choice([0, 0, rng.uniform(0.25, 0.5)])
    bottom, top = frame.seat + gap, frame.seat + frame.back
    waist, crown = frame.width * rng.uniform(0.85, 1), frame.width * rng.uniform(0.6, 1.05)
    z = -frame.depth / 2 + thick / 2
    rows = [(0, bottom, z, waist, thick), (0, bottom + 0.7 * (top - bottom), z, (waist + 2 * crown) / 3, thick)]
    rows += [(0, bottom + 0.9 * (top - bottom), z, crown, thick), (0, top, z, crown * rng.uniform(0.6, 1), thick * 0.8)]
    parts.add("back", looks.back, _upright(frame, loft(1, chamfered(0.04, 0.3), rows).projected()))
    if gap:
        _add_posts(parts, frame, looks, 0.35 * frame.width, frame.seat + gap)


def _cushion(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """One thick cushion."""
    thick = rng.uniform(0.09, 0.2)
    low = (-frame.width / 2, frame.seat - 0.02, -frame.depth / 2 - 0.3 * thick)
    high = (frame.width / 2, frame.seat + frame.back, -frame.depth / 2 + 0.7 * thick)
    parts.add("back", looks.back, _upright(frame, cushion(2, low, high, rng.uniform(0.02, 0.06))))


def _slats(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """Upright bars under a top rail."""
    count = int(rng.integers(3, 6)) + round(3 * max(0, frame.width - 0.6))
    rail, z = rng.uniform(0.07, 0.16), -frame.depth / 2 + frame.bar / 2
    top = frame.seat + frame.back - rail
    wide = frame.width * rng.uniform(0.4, 0.65) / count
    for x in np.linspace(-0.5, 0.5, count) * (frame.width * 0.96 - wide):
        size, center = (wide, top - frame.seat, frame.bar * 0.7), (x, (frame.seat + top) / 2, z)
        parts.add("back", looks.frame, _upright(frame, box(size, center, without="top")))
    size, center = (frame.width, rail, frame.bar), (0, top + rail / 2, z)
    parts.add("rail", looks.back, _upright(frame, box(size, center)))


def _ladder(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """Broad rails across two posts."""
    count = 1 if frame.back < 0.3 else int(rng.integers(2, 4))
    pitch, z = frame.back / (count + 0.15), -frame.depth / 2 + frame.bar / 2
    for k in range(count):
        size = (frame.width * 0.9, pitch * rng.uniform(0.5, 0.75), frame.bar * 0.6)
        center = (0, frame.seat + frame.back - k * pitch - size[1] / 2 - 0.01, z)
        parts.add("rail", looks.back, _upright(frame, box(size, center)))
    _add_posts(parts, frame, looks, frame.width * 0.45, frame.seat + frame.back)


def _add_posts(parts: Assembly, frame: Frame, looks: Looks, x: float, top: float) -> None:
    """The two posts of a back."""
    size = (frame.bar, top - frame.under, frame.bar)
    post = box(size, (x, (frame.under + top) / 2, -frame.depth / 2 + frame.bar / 2))
    post = _upright(frame, post)
    parts.add_pair("posts", looks.frame, post)


def add_arms(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks, block: bool) -> None:
    """Padded blocks from the floor up, boards, or rails on posts."""
    height = rng.uniform(0.14, 0.26)
    thick = rng.uniform(0.1, 0.2) if block else frame.bar * rng.uniform(1, 1.5)
    x, d = frame.width / 2 + thick / 2, frame.depth
    if block:
        low = (x - thick / 2, rng.choice([0.1, frame.under]), -d / 2)
        high = (x + thick / 2, frame.seat + height, d / 2 * rng.uniform(0.8, 1))
        arm = cushion(2, low, high, 0.03)
        parts.add_pair("arms", looks.back, arm)
        return
    solid = rng.random() < 0.3
    rail = box((thick, frame.bar, 0.95 * d), (x, frame.seat + height - frame.bar / 2, -0.025 * d))
    length = 0.95 * d if solid else frame.bar
    size = (frame.bar, height + frame.thick - frame.bar, length)
    z = -0.025 * d if solid else 0.3 * d
    post = box(size, (x, frame.under + size[1] / 2, z), without="top")
    parts.add_pair("arms", looks.frame, rail, post)


BASES = {"legs": _legs, "sled": _sled, "panels": _panels, "block": _block, "pedestal": _pedestal, "star": _star}
BACKS = {"slab": _slab, "cushion": _cushion, "slats": _slats, "ladder": _ladder}
