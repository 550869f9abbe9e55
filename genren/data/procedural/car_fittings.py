"""What is fitted to a car's body and cabin: wheels, lights, bumpers, a pickup's bed, a truck's box, roof loads."""

from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.parts import Assembly, box, chamfered, circle, loft


@dataclass(frozen=True)
class Shape:
    """Measures of one car in metres; z runs from -length / 2 at the rear to length / 2."""

    length: float
    width: float
    height: float
    wheel: float
    clearance: float
    belt: float  # height of the windows' lower edge
    nose: float  # height of the bonnet's front edge
    rear: tuple[float, float]  # z of the cabin's rear at the belt and at the roof
    front: tuple[float, float]
    axles: tuple[float, ...]  # z of the axles


def add_wheels(parts: Assembly, rng: np.random.Generator, shape: Shape) -> None:
    """Wheels with spokes, half under the flank, each before a dark arch."""
    radius, x = shape.wheel / 2, shape.width / 2
    wide = 0.13 * shape.width
    rubber, rim = m.grey(rng, 0.06, 0.14), m.grey(rng, 0.45, 0.9)
    row, column = m.coordinates()
    spokes = np.abs((column * rng.integers(5, 9)) % 1 - 0.5) < rng.uniform(0.2, 0.4)
    # v runs from the tread over the rim to the hub; the picture's top row is the hub.
    hub = (row < 0.42) & (spokes | (row < 0.12) | (row > 0.34))
    look = m.textured(np.where(hub[..., None], rim, rubber), metallic=0.2)
    dark = m.flat(m.grey(rng, 0.03, 0.08))
    profile = [(-1, 0.92), (-0.8, 1), (0.1, 1), (0.2, 0.9), (0.16, 0.6), (0.2, 0.1)]
    for z in shape.axles:
        rows = [(x + at * wide, radius, z, share * shape.wheel, share * shape.wheel) for at, share in profile]
        parts.add_pair("wheels", look, loft(0, circle(16), rows))
        rows = [(x + at, radius + 0.1 * shape.wheel, z, 1.16 * shape.wheel, 1.16 * shape.wheel) for at in (-0.1, 0.012)]
        parts.add_pair("arches", dark, loft(0, circle(16), rows, (False, True)))


def add_trim(parts: Assembly, rng: np.random.Generator, shape: Shape) -> None:
    """Head and tail lights, grille, bumpers, mirrors."""
    half, width = shape.length / 2, shape.width
    size = rng.uniform(0.12, 0.22) * width
    shine, glow = m.flat((0.97, 0.95, 0.8)), m.flat((0.75, 0.05, 0.05))
    outline = circle(8) if rng.random() < 0.4 else chamfered(0.3, 0.3)
    tall = size if len(outline) == 8 and rng.random() < 0.5 else 0.6 * size
    lamp_y = 0.68 * shape.nose
    for z, y, look, name in ((half, lamp_y, shine, "headlights"), (-half, 0.72 * shape.belt, glow, "taillights")):
        end = np.sign(z)
        rows = [(0.29 * width, y, s, size, min(tall, 0.25 * y)) for s in sorted((z - 0.12 * end, z + 0.025 * end))]
        parts.add_pair(name, look, loft(2, outline, rows))
    dark = m.flat(m.grey(rng, 0.06, 0.3))
    grille = (0.34 * width, 0.18 * shape.nose, 0.05)
    parts.add("grille", dark, box(grille, (0, lamp_y, half), without="back"))
    bumper = dark if rng.random() < 0.6 else m.metal(rng)
    for end in (-1, 1):
        center = (0, shape.clearance + 0.16, end * (half - 0.03))
        parts.add("bumpers", bumper, box((0.9 * width, 0.14, 0.16), center))
    mirror = box((0.14, 0.12, 0.1), (width / 2 + 0.04, shape.belt + 0.08, shape.front[0] - 0.12 * shape.length))
    parts.add_pair("mirrors", dark, mirror)


def add_bed(parts: Assembly, rng: np.random.Generator, shape: Shape, body: m.Look) -> None:
    """The walls round a pickup's bed, perhaps with a load."""
    rear, front, thick = -shape.length / 2 + 0.05, shape.rear[0], 0.09
    height = rng.uniform(0.25, 0.45)
    y = shape.belt + height / 2 - 0.03
    side = box((thick, height, front - rear), (shape.width / 2 - thick / 2 - 0.02, y, (rear + front) / 2))
    gate = box((shape.width - 0.1, height, thick), (0, y, rear + thick / 2))
    parts.add("bed", body, side, side.mirrored(), gate)
    if rng.random() < 0.5:
        crate = m.textured(m.planks(rng, m.wood_color(rng)))
        size = (0.6 * shape.width, rng.uniform(0.3, 0.7), 0.6 * (front - rear))
        center = (0, shape.belt - 0.01 + size[1] / 2, (rear + front) / 2)
        parts.add("load", crate, box(size, center, without="bottom", fill=True))


def add_cargo(parts: Assembly, rng: np.random.Generator, shape: Shape) -> None:
    """A truck's box, or its flat bed with a load."""
    rear, front = -shape.length / 2, shape.rear[0] - 0.08
    painter = m.stripes if rng.random() < 0.5 else m.planks
    look = m.textured(painter(rng, m.paint_color(rng)))
    height = shape.height * rng.uniform(0.9, 1.6) - shape.belt * 0.9
    size = (shape.width * rng.uniform(1.0, 1.08), height, front - rear)
    center = (0, 0.9 * shape.belt + height / 2, (rear + front) / 2)
    parts.add("cargo", look, box(size, center))


def add_extra(parts: Assembly, rng: np.random.Generator, shape: Shape, sporty: bool) -> None:
    """A spoiler, or something on the roof: a rack with a case, a taxi sign, a light bar."""
    if sporty:
        wing = box((0.85 * shape.width, 0.05, 0.28), (0, shape.belt + 0.2, 0.2 - shape.length / 2))
        post = box((0.06, 0.25, 0.14), (0.3 * shape.width, shape.belt + 0.08, 0.2 - shape.length / 2), without="top")
        parts.add_pair("spoiler", m.flat(m.paint_color(rng)), wing, post)
        return
    length = (shape.front[1] - shape.rear[1]) * rng.uniform(0.1, 0.7)
    size = (shape.width * rng.uniform(0.3, 0.6), rng.uniform(0.12, 0.35), length)
    center = (0, shape.height + size[1] / 2 - 0.01, (shape.front[1] + shape.rear[1]) / 2)
    parts.add("roof load", m.flat(m.tint(rng, (0.5, 1), (0.5, 1))), box(size, center, without="bottom"))
