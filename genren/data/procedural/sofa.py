"""Sofas: one to four seats, straight, with a chaise, round a corner; block, rolled, low, high or no arms."""

from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.parts import RECTANGLE, Assembly, box, chamfered, circle, cushion, loft


@dataclass(frozen=True)
class Frame:
    """Measures of one sofa in metres; the seats lie between x = -width / 2 and width / 2, the back at z = 0."""

    seats: int
    width: float  # of all seats
    depth: float  # from the rear of the back to the front edge
    foot: float  # height at which the body begins
    seat: float  # height of the seats
    pad: float  # thickness of the seat cushions, 0 for a bare seat
    back: float  # height of the back over the seat
    back_thick: float
    rake: float  # how far the back's crown stands behind its foot
    arm: float  # height of the arms over the seat, not above 0 for none
    arm_thick: float

    @property
    def arms(self) -> bool:
        """Whether the sofa has arms."""
        return self.arm > 0

    @property
    def stand(self) -> float:
        """Half the width of what surely carries: the seats, and the slimmer of an arm and a corner sofa's wing."""
        return self.width / 2 + min(self.arm_thick, self.back_thick) * self.arms


@dataclass(frozen=True)
class Looks:
    """What the body, the cushions, the feet and the loose pillows wear."""

    body: m.Look
    cushions: m.Look
    feet: m.Look
    pillows: m.Look


def build(rng: np.random.Generator) -> Assembly:
    """One sofa; the back at the smallest z."""
    frame = _frame(rng)
    body = m.upholstery(rng)
    looks = Looks(
        body,
        cushions=body if rng.random() < 0.65 else m.upholstery(rng),
        feet=m.metal(rng) if rng.random() < 0.4 else m.flat(m.wood_color(rng)),
        pillows=m.textured(m.UPHOLSTERY[rng.integers(len(m.UPHOLSTERY))](rng, m.tint(rng, (0.5, 0.9), (0.5, 0.95)))),
    )
    layout = "straight" if frame.seats < 2 else str(rng.choice(["straight", "chaise", "corner"], p=[0.6, 0.25, 0.15]))
    side = rng.choice([-1, 1])
    reach = rng.uniform(0.4, 0.95) if layout != "straight" else 0.0

    parts = Assembly()
    _add_body(parts, frame, looks, side, reach)
    _add_feet(parts, rng, frame, looks, side, reach)
    _add_back(parts, rng, frame, looks)
    if layout == "corner":
        _add_wing(parts, frame, looks, side, reach)
    if frame.arms:
        _add_arms(parts, rng, frame, looks, corner=side if layout == "corner" else 0)
    if rng.random() < 0.5:
        _add_pillows(parts, rng, frame, looks)
    return parts


def _frame(rng: np.random.Generator) -> Frame:
    """Measures, drawn so that low and deep, high and narrow, heavy and slender sofas all occur."""
    seats = int(rng.choice([1, 2, 3, 4], p=[0.15, 0.3, 0.3, 0.25]))
    foot = float(rng.choice([0.0, rng.uniform(0.05, 0.22)], p=[0.35, 0.65]))
    seat = rng.uniform(0.3, 0.38) + 0.5 * foot
    back = float(rng.choice([rng.uniform(0.15, 0.3), rng.uniform(0.3, 0.65)]))
    arm = float(rng.choice([0.0, rng.uniform(0.08, 0.25), back], p=[0.2, 0.5, 0.3]))
    return Frame(
        seats,
        width=seats * rng.uniform(0.5, 0.8),
        depth=rng.uniform(0.65, 1.15),
        foot=foot,
        seat=seat,
        pad=float(rng.choice([0.0, rng.uniform(0.1, 0.18)], p=[0.2, 0.8])),
        back=back,
        back_thick=rng.uniform(0.1, 0.28),
        rake=rng.uniform(0, 0.15),
        arm=arm,
        arm_thick=rng.uniform(0.09, 0.32),
    )


def _add_body(parts: Assembly, frame: Frame, looks: Looks, side: int, reach: float) -> None:
    """The box under the seats, the chaise in front of the seat at one `side`, and the seat cushions."""
    top = frame.seat - frame.pad
    height, pitch = top - frame.foot, frame.width / frame.seats
    low, high = (-frame.width / 2, frame.foot, 0.0), (frame.width / 2, top, frame.depth)
    parts.add("body", looks.body, cushion(1, low, high, 0.03 if frame.pad else 0.06))
    edge = side * (frame.width - pitch) / 2
    if reach:
        # Its open rear lies within the body, behind the bevelled edge.
        length = reach + 0.1
        center = (edge, frame.foot + height / 2, frame.depth + reach - length / 2)
        parts.add("chaise", looks.body, box((pitch, height, length), center, without="back"))
    if frame.pad:
        for k in range(frame.seats):
            x = (k + 0.5) * pitch - frame.width / 2
            front = frame.depth + 0.02 + (reach if np.isclose(x, edge) else 0)
            low, high = (x - 0.495 * pitch, top, 0.5 * frame.back_thick), (x + 0.495 * pitch, frame.seat, front)
            parts.add("cushions", looks.cushions, cushion(1, low, high, 0.04, closed=False))


def _add_feet(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks, side: int, reach: float) -> None:
    """Square or round feet at the corners, or a plinth."""
    if not frame.foot:
        return
    if rng.random() < 0.25:
        center = (0.0, frame.foot / 2, frame.depth / 2)
        size = (2 * frame.stand - 0.12, frame.foot, frame.depth - 0.12)
        parts.add("feet", looks.feet, box(size, center, without="top"))
    else:
        thick = rng.uniform(0.06, 0.1)
        outline = RECTANGLE if rng.random() < 0.5 else circle(8)
        x, rim = frame.stand - thick, thick * rng.uniform(0.6, 1)
        for z in (thick, frame.depth - thick):
            rows = [(x, 0, z, rim, rim), (x, frame.foot, z, thick, thick)]
            foot = loft(1, outline, rows, (True, False)).projected()
            parts.add_pair("feet", looks.feet, foot)
    if reach:
        center = (side * (frame.width / 2 - 0.1), frame.foot / 2, frame.depth + reach - 0.1)
        parts.add("feet", looks.feet, box((0.08, frame.foot, 0.08), center, without="top"))


def _add_back(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """The raked back, level or with a crown in the middle, and loose cushions before it."""
    crest, thick = frame.seat + frame.back, frame.back_thick
    foot, top = frame.seat - frame.pad, crest - 0.04
    rows = [
        (0, foot, thick / 2, frame.width, thick),
        (0, top, thick / 2 - frame.rake, frame.width, 0.85 * thick),
        (0, crest, thick / 2 - frame.rake, frame.width - 0.05, 0.5 * thick),
    ]
    parts.add("back", looks.body, loft(1, chamfered(0.04, 0.3), rows, (False, True)).projected())
    if frame.pad and rng.random() < 0.7:
        height, pitch, deep = frame.back * rng.uniform(0.8, 1.15), frame.width / frame.seats, rng.uniform(0.1, 0.18)
        for k in range(frame.seats):
            x = (k + 0.5) * pitch - frame.width / 2
            low = (x - 0.48 * pitch, frame.seat - 0.01, thick - 0.03)
            high = (x + 0.48 * pitch, frame.seat + height, thick + deep)
            pad = cushion(2, low, high, 0.05).rotated(0, -10, (0, frame.seat, thick))
            parts.add("back cushions", looks.cushions, pad)


def _add_wing(parts: Assembly, frame: Frame, looks: Looks, side: int, reach: float) -> None:
    """The second back of a corner sofa, along the chaise."""
    thick, foot = frame.back_thick, frame.foot
    x = side * (frame.width / 2 + thick / 2)
    low = (x - thick / 2, foot, -0.4 * frame.rake)
    high = (x + thick / 2, frame.seat + frame.back, frame.depth + reach)
    parts.add("wing", looks.body, cushion(2, low, high, 0.04))


def _add_arms(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks, corner: int) -> None:
    """Arms on both sides but the one where a corner sofa has its second back."""
    thick, top = frame.arm_thick, frame.seat + frame.arm
    front = frame.depth + rng.uniform(-0.12, 0.03)
    x = frame.width / 2 + thick / 2
    if rng.random() < 0.3:
        # A roll on a slimmer panel.
        roll = max(thick, 0.14)
        middle, height = (frame.foot + top - roll / 2) / 2, top - roll / 2 - frame.foot
        panel = box((0.7 * thick, height, front), (x, middle, front / 2))
        barrel = loft(2, circle(12), [(x, top - roll / 2, z, roll, roll) for z in (-0.01, front + 0.02)])
        solids = [panel, barrel.projected()]
    else:
        # Level, or sloping down to the front.
        low = top - rng.choice([0, rng.uniform(0.2, 0.6)]) * frame.arm
        rows = [(x, (frame.foot + y) / 2, z, thick, y - frame.foot) for z, y in ((0, top), (front - 0.03, low))]
        rows.append((x, rows[1][1], front, thick - 0.05, rows[1][4] - 0.05))
        solids = [loft(2, chamfered(0.2, 0.1), rows).projected()]
    for solid in solids:
        if corner != 1:
            parts.add("arms", looks.body, solid)
        if corner != -1:
            parts.add("arms", looks.body, solid.mirrored())


def _add_pillows(parts: Assembly, rng: np.random.Generator, frame: Frame, looks: Looks) -> None:
    """Loose pillows leaning in the corners of the seat."""
    size = rng.uniform(0.3, 0.42)
    for end in (-1, 1)[: int(rng.integers(1, 3))]:
        x = end * (frame.width / 2 - size / 2 - 0.04)
        z = frame.back_thick + 0.2
        pillow = cushion(2, (x - size / 2, frame.seat, z - 0.07), (x + size / 2, frame.seat + size, z + 0.07), 0.06)
        parts.add("pillows", looks.pillows, pillow.rotated(0, -20, (x, frame.seat, z)))
