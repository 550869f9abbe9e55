"""What is fitted to an airplane's fuselage and wings: tails, engines, landing gear, canopy."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.parts import AIRFOIL, Assembly, Solid, box, chamfered, circle, loft

GLASS = np.array([0.1, 0.16, 0.22])
BLACK = m.flat((0.1, 0.1, 0.1))


@dataclass(frozen=True)
class Shape:
    """Measures of one airplane; lengths in units of the fuselage's length, which runs from z = -0.5 to 0.5."""

    radius: float
    tall: float  # height of the fuselage over its width
    span: float
    chord: float
    taper: float
    sweep: float
    dihedral: float  # how far the wing's tip lies over its root, share of half the span
    thick: float  # thickness of the wing over its chord
    wing_y: float
    wing_z: float  # middle of the wing's root

    def wing_at(self, x: float) -> tuple[float, float, float]:
        """Height, z of the middle, and chord of the wing at the distance x from the middle plane."""
        share = 2 * x / self.span
        chord = self.chord * (1 - share * (1 - self.taper))
        return self.wing_y + self.dihedral * x, self.wing_z - self.sweep * x, chord


def _fin(shape: Shape, x: float, height: float, chord: float, lean: float) -> Solid:
    """An upright fin at the tail, its tip swept back, leaning outward by a share of its height."""
    foot = 0.35 * shape.radius
    rows = []
    for share, size in ((0.0, 1.0), (0.9, 0.6), (1.0, 0.45)):
        z = -0.5 + chord / 2 - 0.5 * chord * share
        rows.append((x + lean * share * height, foot + share * height, z, max(0.1 * chord * size, 0.014), chord * size))
    return loft(1, AIRFOIL, rows).projected()


def _stabilizer(shape: Shape, y: float, z: float, half: float, chord: float) -> Solid:
    """The tailplane's half at positive x."""
    rows = [
        (share * half, y, z - 0.35 * chord * share, max(0.1 * chord * size, 0.012), chord * size)
        for share, size in ((0.02 * shape.radius / half, 1.0), (0.95, 0.6), (1.0, 0.45))
    ]
    return loft(0, AIRFOIL, rows, (False, True)).projected()


def _low_tail(parts: Assembly, rng: np.random.Generator, shape: Shape, skin: m.Look, fin: m.Look) -> None:
    """One fin, the tailplane on the fuselage."""
    height, chord = rng.uniform(0.12, 0.22), rng.uniform(0.12, 0.2)
    parts.add("fin", fin, _fin(shape, 0, height, chord, 0))
    half = _stabilizer(shape, 0.4 * shape.radius, -0.42, rng.uniform(0.15, 0.24), 0.75 * chord)
    parts.add_pair("tailplane", skin, half)


def _t_tail(parts: Assembly, rng: np.random.Generator, shape: Shape, skin: m.Look, fin: m.Look) -> None:
    """One fin that carries the tailplane."""
    height, chord = rng.uniform(0.13, 0.22), rng.uniform(0.13, 0.19)
    parts.add("fin", fin, _fin(shape, 0, height, chord, 0))
    y, z = 0.35 * shape.radius + 0.97 * height, -0.5 + 0.05 * chord
    half = _stabilizer(shape, y, z, rng.uniform(0.13, 0.2), 0.7 * chord)
    parts.add_pair("tailplane", skin, half)


def _twin_tail(parts: Assembly, rng: np.random.Generator, shape: Shape, skin: m.Look, fin: m.Look) -> None:
    """Two fins that lean outward, and a tailplane."""
    left = _fin(shape, 0.8 * shape.radius, rng.uniform(0.12, 0.18), rng.uniform(0.16, 0.24), rng.uniform(0, 0.35))
    parts.add_pair("fin", fin, left)
    half = _stabilizer(shape, 0.3 * shape.radius, -0.42, rng.uniform(0.16, 0.24), 0.16)
    parts.add_pair("tailplane", skin, half)


def _no_tail(parts: Assembly, rng: np.random.Generator, shape: Shape, skin: m.Look, fin: m.Look) -> None:
    """A flying wing has none."""


# Engines.


def _pod(center: tuple[float, float, float], radius: float, length: float) -> Solid:
    """A nacelle; its texture's v runs from the nozzle to the intake."""
    x, y, z = center
    profile = [(-0.5, 0.55), (-0.3, 0.8), (0.2, 1.0), (0.45, 0.95), (0.5, 0.8), (0.46, 0.7), (0.4, 0.05)]
    return loft(2, circle(12), [(x, y, z + at * length, 2 * s * radius, 2 * s * radius) for at, s in profile])


def _pod_paint(color: m.Color) -> m.Look:
    """A nacelle's skin: dark nozzle and intake, bright lip."""
    row, _ = m.coordinates(32)
    pixels = np.where(((row > 0.12) & (row < 0.88))[..., None], color, 0.1)
    return m.textured(np.where(((row > 0.3) & (row < 0.38))[..., None], 0.85, pixels))


def _add_pods(
    parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color, places: tuple[float, ...]
) -> None:
    """Jet engines on pylons under the wings, at shares of half the span."""
    radius, length = rng.uniform(0.026, 0.042), rng.uniform(0.12, 0.18)
    look = _pod_paint(color)
    for share in places:
        x = share * shape.span / 2
        y, z, chord = shape.wing_at(x)
        center = (x, y - 1.3 * radius, z + 0.45 * chord)
        pod = _pod(center, radius, length)
        pylon = box((0.014, 1.2 * radius, 0.6 * length), (x, y - 0.4 * radius, z + 0.3 * chord))
        parts.add_pair("engines", look, pod)
        parts.add_pair("pylons", m.flat(color * 0.8), pylon)


def _two_pods(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """One engine under each wing."""
    _add_pods(parts, rng, shape, color, (rng.uniform(0.3, 0.42),))


def _four_pods(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """Two engines under each wing."""
    _add_pods(parts, rng, shape, color, (0.32, rng.uniform(0.55, 0.65)))


def _tail_pods(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """An engine on either side of the tail."""
    radius = rng.uniform(0.024, 0.036)
    center = (shape.radius * 0.75 + radius, 0.4 * shape.radius, -0.27)
    pod = _pod(center, radius, rng.uniform(0.14, 0.2))
    pylon = box((0.8 * radius, 0.02, 0.09), (center[0] - radius, center[1], center[2]))
    parts.add_pair("engines", _pod_paint(color), pod)
    parts.add_pair("pylons", m.flat(color * 0.8), pylon)


def _jet(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """A fighter's intakes along the flanks and its nozzles."""
    dark, x = m.flat(m.grey(rng, 0.08, 0.2)), rng.uniform(0.75, 1.0) * shape.radius
    size = 1.1 * shape.radius
    rows = [(x, 0, -0.4, size, size), (x, 0, 0.05, size, 1.3 * size), (x, -0.1 * size, 0.16, 0.9 * size, 1.2 * size)]
    duct = loft(2, chamfered(0.3, 0.3), rows)
    parts.add_pair("ducts", m.flat(color * 0.7), duct)
    nozzle = loft(2, circle(12), [(x, 0, z, share * size, share * size) for z, share in ((-0.47, 0.7), (-0.38, 0.9))])
    parts.add_pair("engines", dark, nozzle)


def _add_propeller(
    add: Callable[..., None], rng: np.random.Generator, center: tuple[float, float, float], radius: float
) -> None:
    """A spinner and its blades; `add` is the assembly's way to add one part or a pair."""
    x, y, z = center
    hub, wide, count = 0.16 * radius, 0.16 * radius, int(rng.integers(2, 5))
    profile = [(-0.5, 2), (0.5, 1.7), (1.8, 0.2)]
    spinner = loft(2, circle(8), [(x, y, z + at * hub, share * hub, share * hub) for at, share in profile])
    profile = [(0, 0.6), (0.7, 1), (1, 0.7)]
    blade = loft(1, chamfered(0.2, 0.2), [(x, y + at * radius, z, size * wide, 0.014) for at, size in profile])
    add("spinners", m.flat(m.tint(rng, (0.5, 1), (0.4, 0.9))), spinner)
    add("propellers", BLACK, *(blade.rotated(2, 360 * (k + 0.25) / count, center) for k in range(count)))


def _nose(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """One propeller at the nose."""
    _add_propeller(parts.add, rng, (0, -0.1 * shape.radius, 0.51), rng.uniform(0.13, 0.2))


def _props(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """Nacelles with propellers on the wings, one or two a side."""
    radius, skin = rng.uniform(0.028, 0.04), m.flat(color * 0.85)
    for share in (rng.uniform(0.28, 0.4),) if rng.random() < 0.6 else (0.27, 0.55):
        x = share * shape.span / 2
        y, z, chord = shape.wing_at(x)
        length, z = 1.1 * chord, z + 0.3 * chord
        profile = [(-0.5, 0.3), (-0.1, 0.9), (0.3, 1.0), (0.5, 0.7)]
        rows = [(x, y, z + at * length, 2 * size * radius, 2.2 * size * radius) for at, size in profile]
        parts.add_pair("engines", skin, loft(2, circle(10), rows))
        _add_propeller(parts.add_pair, rng, (x, y, z + 0.52 * length), rng.uniform(0.09, 0.12))


def _none(parts: Assembly, rng: np.random.Generator, shape: Shape, color: m.Color) -> None:
    """Gliders have no engine; a flying wing hides its own."""


def add_gear(parts: Assembly, rng: np.random.Generator, shape: Shape) -> None:
    """Fixed main wheels on struts, and a tail wheel."""
    size, x, low = rng.uniform(0.06, 0.09), 1.5 * shape.radius, -2.1 * shape.radius
    wheel = loft(
        0, circle(10), [(x + at, low, 0.22, s, s) for at, s in ((-0.016, 0.85 * size), (0, size), (0.016, 0.85 * size))]
    )
    rows = [(x, low, 0.22, 0.022, 0.03), (0.5 * shape.radius, -0.7 * shape.radius, 0.22, 0.022, 0.04)]
    strut = loft(1, chamfered(0.3, 0.3), rows)
    parts.add_pair("wheels", BLACK, wheel)
    parts.add_pair("gear", m.metal(rng), strut)


def add_canopy(parts: Assembly, rng: np.random.Generator, shape: Shape) -> None:
    """A bubble over the pilot."""
    y, size = 0.75 * shape.radius * shape.tall, rng.uniform(0.9, 1.2) * shape.radius
    z = rng.uniform(0.12, 0.2)
    profile = [(-0.1, 0.25), (-0.06, 0.8), (0.0, 1.0), (0.05, 0.85), (0.1, 0.25)]
    rows = [(0, y, z + at, s * size, 1.3 * s * size) for at, s in profile]
    parts.add("canopy", m.flat(GLASS), loft(2, circle(10), rows))


TAILS = {"low": _low_tail, "T": _t_tail, "twin": _twin_tail, "none": _no_tail}
ENGINES = {
    "pods": _two_pods,
    "four pods": _four_pods,
    "tail pods": _tail_pods,
    "jet": _jet,
    "nose": _nose,
    "props": _props,
    "none": _none,
}
