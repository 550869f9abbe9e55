"""Airplanes: airliners, business jets, freighters, fighters, propeller planes, biplanes, gliders, flying wings."""

from dataclasses import dataclass

import numpy as np

from genren.data.procedural import materials as m
from genren.data.procedural.airplane_fittings import ENGINES, GLASS, TAILS, Shape, add_canopy, add_gear
from genren.data.procedural.parts import AIRFOIL, Assembly, Solid, Span, box, circle, loft


@dataclass(frozen=True)
class Kind:
    """What airplanes of a kind have in common: ranges, as shares of the fuselage's length."""

    radius: Span  # of the fuselage
    span: Span  # of the wings
    chord: Span  # of the wings at the root
    taper: Span  # chord at the tip over chord at the root
    sweep: Span  # how far the tip lies behind the root, share of half the span
    mount: tuple[float, ...]  # where wings may sit: -1 under the fuselage, 1 on top of it
    engines: tuple[str, ...]
    tail: tuple[str, ...] = ("low", "low", "T")
    livery: tuple[str, ...] = ("airline", "airline", "stripe")
    canopy: bool = False  # a bubble over the pilot, instead of painted windows
    gear: bool = False  # fixed wheels, and room for a propeller at the nose


KINDS = {
    "airliner": Kind(
        (0.05, 0.085), (0.75, 1.15), (0.16, 0.24), (0.25, 0.45), (0.4, 0.7), (-0.6,), ("pods", "four pods"),
    ),
    "jet": Kind(
        (0.045, 0.065), (0.65, 0.95), (0.18, 0.26), (0.3, 0.5), (0.3, 0.6), (-0.7,), ("tail pods",), ("T",),
    ),
    "freighter": Kind(
        (0.08, 0.12), (0.95, 1.35), (0.16, 0.24), (0.4, 0.7), (0.05, 0.35), (0.9,), ("four pods", "props"),
    ),
    "fighter": Kind(
        (0.05, 0.075), (0.45, 0.7), (0.35, 0.6), (0.1, 0.35), (0.6, 1.3), (0.0, 0.5), ("jet",),
        ("twin", "low"), ("camouflage", "plain"), canopy=True,
    ),
    "light": Kind(
        (0.07, 0.1), (1.0, 1.5), (0.16, 0.24), (0.7, 1.0), (-0.05, 0.05), (-0.8, 1.0), ("nose",),
        livery=("stripe", "plain"), gear=True,
    ),
    "twin": Kind(
        (0.06, 0.09), (0.95, 1.35), (0.16, 0.22), (0.45, 0.8), (-0.05, 0.12), (-0.7, 0.8), ("props",),
        livery=("stripe", "airline"),
    ),
    "biplane": Kind(
        (0.08, 0.11), (1.0, 1.4), (0.2, 0.28), (0.85, 1.0), (-0.02, 0.1), (-0.7,), ("nose",),
        ("low",), ("stripe", "plain"), canopy=True, gear=True,
    ),
    "glider": Kind(
        (0.05, 0.07), (1.35, 1.9), (0.13, 0.19), (0.5, 0.8), (-0.02, 0.06), (0.4,), ("none",),
        ("T", "low"), ("plain", "stripe"), canopy=True,
    ),
    "wing": Kind(
        (0.09, 0.14), (1.4, 2.2), (0.6, 0.85), (0.15, 0.3), (0.4, 0.7), (0.0,), ("none",),
        ("none",), ("camouflage", "plain"), canopy=True,
    ),
}  # fmt: skip

LIVERY_SIZE = 128  # texels of the fuselage's texture: around (columns) and along (rows)


def build(rng: np.random.Generator) -> Assembly:
    """One airplane; its nose at positive z."""
    name = list(KINDS)[rng.integers(len(KINDS))]
    kind = KINDS[name]
    shape = _shape(rng, kind)
    color, accent = _colors(rng)
    skin = m.flat(color) if rng.random() < 0.5 else m.Fade(color * 0.75, color)
    livery = str(rng.choice(kind.livery))
    if livery == "camouflage":
        skin = m.textured(_camouflage(rng))

    parts = Assembly()
    coat = skin if livery == "camouflage" else m.textured(_livery(rng, livery, color, accent, glass=not kind.canopy))
    parts.add("fuselage", coat, _fuselage(shape, blunt=kind.gear))
    wing = _wing(shape)
    parts.add_pair("wings", skin, wing)
    if name == "biplane":
        _add_upper_wing(parts, shape, wing, m.flat(accent))
    TAILS[str(rng.choice(kind.tail))](parts, rng, shape, skin, m.flat(accent))
    ENGINES[str(rng.choice(kind.engines))](parts, rng, shape, color)
    if kind.gear:
        add_gear(parts, rng, shape)
    if kind.canopy:
        add_canopy(parts, rng, shape)
    return parts


def _shape(rng: np.random.Generator, kind: Kind) -> Shape:
    """Measures drawn from a kind's ranges."""
    radius, span, chord = rng.uniform(*kind.radius), rng.uniform(*kind.span), rng.uniform(*kind.chord)
    sweep = rng.uniform(*kind.sweep)
    mount = float(rng.choice(kind.mount))
    return Shape(
        radius,
        tall=rng.uniform(0.45, 0.6) if "none" in kind.tail else rng.uniform(0.95, 1.25),
        span=span,
        chord=chord,
        taper=rng.uniform(*kind.taper),
        sweep=sweep,
        dihedral=rng.uniform(0.0, 0.12) if mount <= 0.5 else rng.uniform(-0.06, 0.03),
        thick=rng.uniform(0.12, 0.17) * min(1, 0.3 / chord),
        wing_y=mount * radius,
        # Swept wings begin farther ahead, so that their middle stays near the centre of mass.
        wing_z=rng.uniform(-0.02, 0.1) + 0.2 * sweep * span / 2 + 0.05,
    )


def _colors(rng: np.random.Generator) -> tuple[m.Color, m.Color]:
    """The skin, mostly white or silver, and a strong second colour."""
    color = m.grey(rng, 0.7, 0.97) if rng.random() < 0.6 else m.tint(rng, (0.3, 0.8), (0.5, 0.95))
    return color, m.tint(rng, (0.6, 1.0), (0.35, 0.9))


def _fuselage(shape: Shape, blunt: bool) -> Solid:
    """A tube from the rising tail cone to the nose; a blunt nose carries a propeller."""
    width, height = 2 * shape.radius, 2 * shape.radius * shape.tall
    profile = [(-0.5, 0.12, 0.6), (-0.42, 0.35, 0.45), (-0.28, 0.75, 0.15), (-0.12, 1.0, 0.0), (0.2, 1.0, 0.0)]
    if blunt:
        profile += [(0.36, 0.88, -0.05), (0.47, 0.7, -0.1), (0.5, 0.5, -0.1)]
    else:
        profile += [(0.34, 0.95, -0.02), (0.42, 0.75, -0.1), (0.47, 0.48, -0.18), (0.5, 0.15, -0.25)]
    rows = [(0, lift * height / 2, z, share * width, share * height) for z, share, lift in profile]
    return loft(2, circle(16), rows)


def _wing(shape: Shape) -> Solid:
    """The wing at positive x; its open root lies inside the fuselage."""
    rows = []
    for share in (0.5 * shape.radius / (shape.span / 2), 0.5, 0.96, 1.0):
        y, z, chord = shape.wing_at(share * shape.span / 2)
        # Rounded off at the tip, and never thinner than what a render of this size can show.
        chord *= 0.75 if share == 1.0 else 1
        rows.append((share * shape.span / 2, y, z, max(shape.thick * chord, 0.012), chord))
    return loft(0, AIRFOIL, rows, (False, True)).projected()


def _add_upper_wing(parts: Assembly, shape: Shape, wing: Solid, strut_look: m.Look) -> None:
    """A biplane's second wing, on struts."""
    gap = 3.2 * shape.radius
    upper = wing.moved(y=gap, z=0.25 * shape.chord)
    # The upper wing is seen whole: from its root on it goes through to the middle.
    root = upper.moved(x=-upper.vertices[:, 0].min())
    parts.add_pair("wings", strut_look, root)
    for share in (0.25, 0.75):
        y, z, chord = shape.wing_at(share * shape.span / 2)
        for offset in (-0.2, 0.25):
            center = (share * shape.span / 2, y + gap / 2, z + offset * chord + 0.12 * shape.chord)
            strut = box((0.016, gap, 0.022), center, "top").rotated(0, np.degrees(0.07), center)
            parts.add_pair("struts", strut_look, strut)


# Painted skins.


def _livery(rng: np.random.Generator, kind: str, color: m.Color, accent: m.Color, glass: bool) -> np.ndarray:
    """The fuselage's picture: columns run round it from its foot over the left side, rows from nose to tail."""
    row, column = m.coordinates(LIVERY_SIZE)
    along = 1 - row  # 0 at the tail, 1 at the nose
    up = 1 - np.abs(column - 0.5) * 2  # 0 at the foot, 0.5 at the flanks, 1 at the top
    pixels = color * np.ones_like(row)[..., None]
    if kind == "airline":
        pixels[up < rng.uniform(0.2, 0.42)] = m.grey(rng, 0.5, 0.8) if rng.random() < 0.5 else accent
        pixels[along + 0.25 * up < rng.uniform(0.15, 0.4)] = accent
    elif kind == "stripe":
        pixels[np.abs(up - rng.uniform(0.4, 0.5)) < rng.uniform(0.03, 0.1)] = accent
        pixels[along > rng.uniform(0.85, 1.0)] = accent
    if glass:
        pane = (along * rng.integers(24, 34)) % 1 < 0.5
        pixels[pane & (np.abs(up - 0.6) < 0.03) & (along > 0.22) & (along < 0.8)] = GLASS
        start = rng.uniform(0.78, 0.84)
        pixels[(along > start) & (along < start + 0.07) & (up > 0.62) & (np.abs(up - 0.81) > 0.015)] = GLASS
    return pixels


def _camouflage(rng: np.random.Generator) -> np.ndarray:
    """Blotches of three dull colours."""
    blotches = m.cloud(rng, 6, 6, LIVERY_SIZE)
    base = m.tint(rng, (0.15, 0.5), (0.4, 0.65))
    shades = np.stack([base, 0.65 * base, 0.4 + 0.6 * base])
    return shades[np.digitize(blotches, (-0.15, 0.3))]
