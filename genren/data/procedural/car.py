"""Cars: sedan, hatchback, wagon, off-roader, sports car, van, pickup, bus, box truck, micro car."""

from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.car_fittings import Shape, add_bed, add_cargo, add_extra, add_trim, add_wheels
from genren.data.procedural.parts import RECTANGLE, Assembly, Solid, Span, chamfered, loft


@dataclass(frozen=True)
class Kind:
    """What cars of a kind have in common: ranges, in metres or as shares."""

    length: Span
    width: Span
    height: Span
    wheel: Span  # diameter of the wheels
    belt: Span  # height of the windows' lower edge, share of the height
    rear: tuple[Span, Span]  # where the cabin begins at the belt and at the roof, shares of the length from the rear
    front: tuple[Span, Span]  # where it ends
    nose: Span = (0.7, 0.95)  # height of the bonnet's front edge, share of the belt's height
    windows: tuple[int, int] = (2, 3)  # panes on a side


KINDS = {
    "sedan": Kind(
        (4.2, 5.1), (1.7, 1.9), (1.35, 1.5), (0.58, 0.7), (0.58, 0.66),
        ((0.06, 0.16), (0.24, 0.32)), ((0.68, 0.76), (0.5, 0.58)),
    ),
    "hatchback": Kind(
        (3.4, 4.2), (1.6, 1.8), (1.4, 1.6), (0.55, 0.68), (0.55, 0.64),
        ((0.01, 0.04), (0.08, 0.2)), ((0.72, 0.82), (0.52, 0.62)),
    ),
    "wagon": Kind(
        (4.5, 5.2), (1.7, 1.9), (1.4, 1.6), (0.6, 0.7), (0.56, 0.64),
        ((0.01, 0.03), (0.03, 0.1)), ((0.66, 0.74), (0.5, 0.58)), windows=(3, 4),
    ),
    "offroad": Kind(
        (3.8, 5.0), (1.8, 2.1), (1.7, 2.1), (0.8, 1.05), (0.56, 0.66),
        ((0.02, 0.05), (0.03, 0.12)), ((0.64, 0.72), (0.56, 0.66)), (0.88, 1.0),
    ),
    "sports": Kind(
        (3.9, 4.7), (1.8, 2.1), (1.05, 1.25), (0.56, 0.66), (0.62, 0.7),
        ((0.08, 0.25), (0.3, 0.42)), ((0.6, 0.74), (0.44, 0.52)), (0.45, 0.7), (1, 2),
    ),
    "van": Kind(
        (4.4, 6.0), (1.8, 2.1), (1.9, 2.6), (0.62, 0.75), (0.45, 0.55),
        ((0.0, 0.01), (0.0, 0.03)), ((0.84, 0.96), (0.68, 0.84)), (0.7, 0.95), (1, 4),
    ),
    "pickup": Kind(
        (4.7, 5.8), (1.8, 2.1), (1.6, 2.0), (0.72, 0.95), (0.54, 0.62),
        ((0.38, 0.5), (0.4, 0.54)), ((0.72, 0.78), (0.6, 0.68)), (0.85, 1.0), (1, 2),
    ),
    "bus": Kind(
        (7.0, 11.5), (2.3, 2.6), (2.7, 3.4), (0.9, 1.1), (0.4, 0.52),
        ((0.0, 0.005), (0.0, 0.02)), ((0.98, 0.995), (0.95, 0.99)), (0.9, 1.0), (5, 9),
    ),
    "truck": Kind(
        (4.8, 8.0), (2.0, 2.5), (1.9, 2.4), (0.8, 1.0), (0.5, 0.6),
        ((0.7, 0.76), (0.7, 0.77)), ((0.96, 0.99), (0.9, 0.96)), (0.85, 1.0), (1, 1),
    ),
    "micro": Kind(
        (2.3, 3.0), (1.4, 1.7), (1.4, 1.65), (0.5, 0.62), (0.5, 0.6),
        ((0.01, 0.06), (0.06, 0.2)), ((0.82, 0.92), (0.56, 0.68)), (0.75, 0.95), (1, 2),
    ),
}  # fmt: skip

GLASS = np.array([0.16, 0.2, 0.25])
CABIN_ROWS, CABIN_SIDE = 48, 64  # texels of the cabin's texture: upward, and along each of its four sides


def build(rng: np.random.Generator) -> Assembly:
    """One car; its bonnet at positive z."""
    name = list(KINDS)[rng.integers(len(KINDS))]
    kind = KINDS[name]
    shape = _shape(rng, kind)
    color = m.tint(rng, (0.5, 0.95), (0.45, 0.95)) if rng.random() < 0.7 else m.grey(rng, 0.15, 0.95)
    body = m.textured(_body_paint(rng, color), metallic=0.3) if rng.random() < 0.6 else m.flat(color, metallic=0.3)
    roof = color if rng.random() < 0.8 else m.paint_color(rng)

    parts = Assembly()
    parts.add("body", body, _hull(shape))
    panes = int(rng.integers(kind.windows[0], kind.windows[1] + 1))
    parts.add("cabin", m.textured(_cabin_paint(color, roof, panes)), _cabin(rng, shape))
    add_wheels(parts, rng, shape)
    add_trim(parts, rng, shape)
    if name == "pickup":
        add_bed(parts, rng, shape, body)
    elif name == "truck":
        add_cargo(parts, rng, shape)
    elif rng.random() < 0.3:
        add_extra(parts, rng, shape, sporty=name == "sports")
    return parts


def _shape(rng: np.random.Generator, kind: Kind) -> Shape:
    """Measures drawn from a kind's ranges."""
    length, width, height, wheel = (rng.uniform(*s) for s in (kind.length, kind.width, kind.height, kind.wheel))
    belt = height * rng.uniform(*kind.belt)
    axles = [rng.uniform(0.15, 0.24) - 0.5, 0.5 - rng.uniform(0.15, 0.21)]
    if length > 6.5 and rng.random() < 0.5:
        axles.insert(1, axles[0] + 1.15 * wheel / length)
    return Shape(
        length,
        width,
        height,
        wheel,
        clearance=wheel * rng.uniform(0.28, 0.45),
        belt=belt,
        nose=max(belt * rng.uniform(*kind.nose), 0.95 * wheel),  # above the front wheels
        rear=_along(rng, kind.rear, length),
        front=_along(rng, kind.front, length),
        axles=tuple(share * length for share in axles),
    )


def _along(rng: np.random.Generator, spans: tuple[Span, Span], length: float) -> tuple[float, float]:
    """Two places along the car, drawn as shares from the rear."""
    belt, roof = (length * (rng.uniform(*span) - 0.5) for span in spans)
    return belt, roof


def _hull(shape: Shape) -> Solid:
    """The body below the windows: a loft from the rear bumper over the belt and the bonnet to the nose."""
    half, low = shape.length / 2, shape.clearance
    deck = shape.belt * (0.96 if shape.rear[0] > -0.95 * half else 1)
    profile = [
        (-half, 0.9, low + 0.12, 0.88 * deck),
        (-0.97 * half, 0.97, low + 0.03, 0.96 * deck),
        (-0.9 * half, 1.0, low, deck),
        (shape.rear[0], 1.0, low, shape.belt),
        (shape.front[0], 1.0, low, shape.belt),
        (0.975 * half, 0.92, low + 0.02, 0.97 * shape.nose),
        (half, 0.82, low + 0.12, 0.82 * shape.nose),
    ]
    if shape.front[0] < 0.9 * half:
        profile.append((0.9 * half, 0.97, low, shape.nose + 0.1 * (shape.belt - shape.nose)))
    rows = [(0, (bottom + top) / 2, z, share * shape.width, top - bottom) for z, share, bottom, top in sorted(profile)]
    return loft(2, chamfered(0.1, 0.2), rows)


def _cabin(rng: np.random.Generator, shape: Shape) -> Solid:
    """The cabin on the belt, narrower towards the roof, whose edges are rounded off."""
    waist, crown = 0.96 * shape.width, shape.width * rng.uniform(0.74, 0.9)
    edge = shape.belt + 0.9 * (shape.height - shape.belt)
    inset = 0.06 * (shape.front[1] - shape.rear[1])
    rows = []
    for y, width, rear, front in (
        (shape.belt - 0.03, waist, shape.rear[0], shape.front[0]),
        (edge, crown, shape.rear[1], shape.front[1]),
        (shape.height, 0.88 * crown, shape.rear[1] + inset, shape.front[1] - inset),
    ):
        rows.append((0, y, (rear + front) / 2, width, front - rear))
    return loft(1, RECTANGLE, rows, (False, True))


def _body_paint(rng: np.random.Generator, color: m.Color) -> np.ndarray:
    """Dark sills, and stripes along the flanks or over the bonnet; u runs round the hull from its underside."""
    row, column = m.coordinates()
    around = np.abs(column - 0.4375) * 8  # 0 at the middle of the upper side, 2 at the middle of a flank, in eighths
    accent = m.tint(rng, (0, 0.9), (0.1, 0.95))
    pixels = np.where((around > 2.9)[..., None], color * 0.25, color * np.ones_like(row)[..., None])
    livery = rng.choice(["plain", "flank", "bonnet", "two-tone", "doors"])
    marks = {
        "plain": np.zeros_like(row, dtype=bool),
        "flank": np.abs(around - 2) < 0.14,
        "bonnet": np.abs(around - 0.18) < 0.1,
        "two-tone": (around > 1.95) & (around < 2.9),
        "doors": (around > 1.5) & (around < 2.5) & (np.abs(row - 0.5) < 0.12),
    }
    return np.where(marks[livery][..., None], accent, pixels)


def _cabin_paint(color: m.Color, roof: m.Color, panes: int) -> np.ndarray:
    """Windows on the four sides of the cabin, in the order right, front, left, rear; the roof in the top rows."""
    height, across = np.meshgrid(
        1 - (np.arange(CABIN_ROWS) + 0.5) / CABIN_ROWS, (np.arange(CABIN_SIDE) + 0.5) / CABIN_SIDE, indexing="ij"
    )
    sides = []
    for count in (panes, 1, panes, 1):
        to_pillar = 0.5 - np.abs((across * count) % 1 - 0.5)
        glass = (height > 0.06) & (height < 0.58) & (to_pillar > 0.05 * count**0.7) & (np.abs(across - 0.5) < 0.46)
        sides.append(np.where(glass[..., None], GLASS + 0.12 * height[..., None], color))
    pixels = np.concatenate(sides, axis=1)
    pixels[: int(0.35 * CABIN_ROWS)] = roof
    return pixels
