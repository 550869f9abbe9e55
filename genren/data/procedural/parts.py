"""Solids of the procedural models, and their assembly into a scene.

Nearly every part is a loft: copies of one convex outline along an axis, skinned over. Boxes, cylinders, tapered
legs, cushions, wings and fuselages differ only in outline and stations. World: +Y up, +Z front, metres, x to the
model's left as it looks forward. Faces are counter-clockwise seen from outside.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import trimesh
from trimesh.visual import ColorVisuals, TextureVisuals

from genren.data.procedural.materials import Fade, Look

Span = tuple[float, float]  # a range to draw from

# Outlines: (K, 2), convex, counter-clockwise, inside [-1, 1]^2; the columns are the two axes across the loft.
RECTANGLE = np.array([(1, -1), (1, 1), (-1, 1), (-1, -1)], dtype=float)
AIRFOIL = np.array([(0, -1), (0.8, -0.5), (1, 0.3), (0.45, 1), (-0.45, 1), (-1, 0.3), (-0.8, -0.5)], dtype=float)

# The faces a box can leave out: where it rests on another part nobody sees them, and a cloud sampled from the
# surface would carry their points and normals all the same. Name -> (axis of the loft, which of its two ends).
SIDES = {"right": (0, 0), "left": (0, 1), "bottom": (1, 0), "top": (1, 1), "back": (2, 0), "front": (2, 1)}

# Texture coordinates keep off the border, where a repeating sampler would mix in the opposite edge.
UV_BORDER = 0.01


@dataclass(frozen=True)
class Solid:
    """One surface with texture coordinates; every method returns a changed copy."""

    vertices: np.ndarray  # (V, 3) float64
    faces: np.ndarray  # (F, 3) int64
    uvs: np.ndarray  # (V, 2) float64 in [0, 1], v up

    def moved(self, x: float = 0, y: float = 0, z: float = 0) -> "Solid":
        """The solid shifted by an offset."""
        return replace(self, vertices=self.vertices + np.array([x, y, z]))

    def rotated(self, axis: int, degrees: float, about: Sequence[float] = (0, 0, 0)) -> "Solid":
        """The solid turned right-handed about the line through `about` along axis 0, 1 or 2."""
        first, second = (axis + 1) % 3, (axis + 2) % 3
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        rotation = np.eye(3)
        rotation[[first, first, second, second], [first, second, first, second]] = cos, -sin, sin, cos
        return replace(self, vertices=(self.vertices - about) @ rotation.T + about)

    def mirrored(self) -> "Solid":
        """The solid reflected at the plane x = 0, still facing outward."""
        return replace(self, vertices=self.vertices * (-1, 1, 1), faces=self.faces[:, ::-1])

    def inverted(self) -> "Solid":
        """The same surface facing the other way: a hollow."""
        return replace(self, faces=self.faces[:, ::-1])

    def turned(self) -> "Solid":
        """The texture turned by a quarter: wood grain along the other direction."""
        return replace(self, uvs=self.uvs[:, ::-1])

    def projected(self, fill: bool = False) -> "Solid":
        """Texture projected along the axis each face looks along.

        One texture covers the longest side of the solid's box, undistorted; with `fill` it is stretched over every
        side. Corners are split, so that neighbouring faces keep their own coordinates.
        """
        corners = self.vertices[self.faces]
        normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
        across = np.array([(2, 1), (0, 2), (0, 1)])[np.abs(normals).argmax(1)]
        size = np.ptp(self.vertices, axis=0)
        unit = (corners - self.vertices.min(0)) / (np.maximum(size, 1e-9) if fill else size.max())
        uvs = np.take_along_axis(unit, across[:, None, :].repeat(3, 1), axis=2)
        count = 3 * len(self.faces)
        return Solid(corners.reshape(count, 3), np.arange(count).reshape(-1, 3), _inset(uvs.reshape(count, 2)))


class Assembly:
    """The parts of one model, each under a name and with one look."""

    def __init__(self) -> None:
        self._solids: dict[str, list[Solid]] = {}
        self._looks: dict[str, Look] = {}

    def add(self, name: str, look: Look, *solids: Solid) -> None:
        """Add solids to the part `name`; the first call for a name decides the look of the part."""
        self._solids.setdefault(name, []).extend(solids)
        self._looks.setdefault(name, look)

    def add_pair(self, name: str, look: Look, *solids: Solid) -> None:
        """Add solids and their mirror images."""
        self.add(name, look, *solids, *(solid.mirrored() for solid in solids))

    def scene(self) -> trimesh.Scene:
        """The parts as one mesh each; nodes and geometries bear the parts' names."""
        scene = trimesh.Scene()
        for name, solids in self._solids.items():
            starts = np.cumsum([0] + [len(solid.vertices) for solid in solids])
            vertices = np.concatenate([solid.vertices for solid in solids])
            faces = np.concatenate([solid.faces + start for solid, start in zip(solids, starts[:-1], strict=True)])
            look = self._looks[name]
            visual = (
                ColorVisuals(vertex_colors=look.paint(vertices[:, 1]))
                if isinstance(look, Fade)
                else TextureVisuals(uv=np.concatenate([solid.uvs for solid in solids]), material=look)
            )
            mesh = trimesh.Trimesh(vertices, faces, visual=visual, process=False)
            scene.add_geometry(mesh, node_name=name, geom_name=name)
        return scene


def circle(count: int) -> np.ndarray:
    """Outline of a regular polygon of `count` corners; the first is at the foot, so that u = 0.5 is the top."""
    angles = np.arange(count) * (2 * np.pi / count) - np.pi / 2
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def chamfered(first: float, second: float) -> np.ndarray:
    """Outline of a rectangle with cut corners; the cuts are fractions of the half sides."""
    a, b = 1 - first, 1 - second
    return np.array([(a, -1), (1, -b), (1, b), (a, 1), (-a, 1), (-1, b), (-1, -b), (-a, -1)])


def loft(
    axis: int, outline: np.ndarray, stations: Sequence[Sequence[float]], caps: tuple[bool, bool] = (True, True)
) -> Solid:
    """Skin over scaled copies of a convex outline.

    Args:
        axis: 0, 1 or 2, the direction along which the stations run, upward.
        outline: (K, 2), see above; its columns are the other two axes in the order x, y, z.
        stations: rows (x, y, z, size, size): centre of a copy and its full sizes along the other two axes.
        caps: whether the first and the last copy are closed with a face.

    Returns:
        The solid; texture u runs around (corner k of K at k / K), v along (0 at the first station, 1 at the last).
        The caps wear the colours of their rims.

    """
    rows = np.asarray(stations, dtype=float)
    others = [a for a in range(3) if a != axis]
    # x, z is the one pair of axes whose cross product points down its third axis.
    points = outline[::-1] if axis == 1 else outline
    rings = np.repeat(rows[:, None, :3], len(points) + 1, axis=1)
    rings[:, :, others] += np.concatenate([points, points[:1]]) * rows[:, None, 3:] / 2

    steps = np.linalg.norm(np.diff(rings, axis=0), axis=2).mean(1)
    along = np.concatenate([[0], steps.cumsum()]) / steps.sum()
    uvs = np.stack(np.meshgrid(np.linspace(0, 1, len(points) + 1), along), axis=2)

    index = np.arange(rings.shape[0] * rings.shape[1]).reshape(rings.shape[:2])
    a, b, c, d = index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]
    faces = [np.stack([a, b, c], axis=2).reshape(-1, 3), np.stack([a, c, d], axis=2).reshape(-1, 3)]
    fan = np.arange(1, len(points) - 1)
    if caps[0]:
        faces.append(np.stack([np.full_like(fan, index[0, 0]), index[0, fan + 1], index[0, fan]], axis=1))
    if caps[1]:
        faces.append(np.stack([np.full_like(fan, index[-1, 0]), index[-1, fan], index[-1, fan + 1]], axis=1))
    return Solid(rings.reshape(-1, 3), np.concatenate(faces), _inset(uvs.reshape(-1, 2)))


def box(size: Sequence[float], center: Sequence[float], without: str | None = None, fill: bool = False) -> Solid:
    """Box of full `size` with projected texture (see `Solid.projected`); `without` names a side to leave out."""
    axis, end = SIDES[without or "bottom"]
    start, stop = np.array(center, dtype=float), np.array(center, dtype=float)
    start[axis] -= size[axis] / 2
    stop[axis] += size[axis] / 2
    across = [size[a] for a in range(3) if a != axis]
    caps = (without is None or end == 1, without is None or end == 0)
    return loft(axis, RECTANGLE, [(*start, *across), (*stop, *across)], caps).projected(fill)


def cushion(axis: int, low: Sequence[float], high: Sequence[float], bevel: float, closed: bool = True) -> Solid:
    """Box between two corners with bevelled edges; unless `closed`, its start along `axis` is left out."""
    start, stop = np.array(low, dtype=float), np.array(high, dtype=float)
    size, across = stop - start, [a for a in range(3) if a != axis]
    cut = np.minimum(bevel, 0.45 * size)
    wide, narrow = size[across], size[across] - 1.4 * cut[across]
    stations = []
    for along, rim in [(0, narrow), (cut[axis], wide), (size[axis] - cut[axis], wide), (size[axis], narrow)]:
        center = (start + stop) / 2
        center[axis] = start[axis] + along
        stations.append((*center, *rim))
    if not closed:
        stations[:2] = [(*stations[0][:3], *wide)]
    return loft(axis, chamfered(*(2 * cut[across] / wide)), stations, (closed, True)).projected()


def _inset(uvs: np.ndarray) -> np.ndarray:
    """Texture coordinates drawn in from the border."""
    return UV_BORDER + (1 - 2 * UV_BORDER) * uvs
