"""The template of airplanes, genren/presets/airplane.obj: `python -m genren.geometry.airplane` writes it again.

A cage of quadrilaterals, a tube with wings, tailplane and fin drawn out of it, is subdivided twice by the rule of
Catmull and Clark (1978). Upper side, lower side and both sides of the fin are each flattened as rigidly as possible
(Liu et al., SGP 2008) and laid out in the unit square.
"""

import numpy as np
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from genren.files import replacing
from genren.params import PRESETS

# The fuselage: z, half width, half height and lift of its rings, from the nose back.
RINGS = (
    (0.500, 0.030, 0.030, -0.015),
    (0.360, 0.085, 0.085, 0.000),
    (0.140, 0.085, 0.090, 0.000),
    (-0.120, 0.085, 0.090, 0.000),
    (-0.360, 0.055, 0.060, 0.020),
    (-0.520, 0.030, 0.030, 0.040),
)
# Corners of a ring in shares of its half width and height, counter-clockwise seen from the nose; the first four are up.
RING = ((1.0, 0.25), (0.5, 1.0), (-0.5, 1.0), (-1.0, 0.25), (-1.0, -0.25), (-0.5, -1.0), (0.5, -1.0), (1.0, -0.25))
# What grows out of the tube: interval of rings, side of the ring, and its end: x, y, z of the leading edge, chord and
# thickness.
LIMBS = (
    (2, 7, (0.560, 0.050, -0.180), 0.110, 0.030),
    (2, 3, (-0.560, 0.050, -0.180), 0.110, 0.030),
    (4, 7, (0.230, 0.050, -0.470), 0.090, 0.025),
    (4, 3, (-0.230, 0.050, -0.470), 0.090, 0.025),
    (4, 1, (0.000, 0.270, -0.470), 0.100, 0.025),
)
BODY, FIN, END = range(3)
UPPER, LOWER, FIN_RIGHT, FIN_LEFT = range(4)
# Where charts go in the unit square: quarter turns, then the centre of their box.
LAYOUT = {UPPER: (0, 0.35, 0.335), LOWER: (2, 0.65, 0.65), FIN_RIGHT: (0, 0.1, 0.9), FIN_LEFT: (0, 0.9, 0.1)}
SCALE = 0.64  # texture units per unit of length; the charts stay two texels of 64 apart


def cage() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (V, 4), the fourth coordinate 1 on upper and -1 on lower sides, quads (Q, 4), their part (Q,)."""
    points = [
        (x * width, y * height + lift, z, 1.0 if i < 4 else -1.0)
        for z, width, height, lift in RINGS
        for i, (x, y) in enumerate(RING)
    ]
    n, last = len(RING), len(RING) * (len(RINGS) - 1)
    caps = [[0, 1, 2, 3], [0, 3, 4, 7], [7, 4, 5, 6]]
    quads = caps + [[last + i for i in reversed(cap)] for cap in caps]
    part = [BODY] * len(caps) + [END] * len(caps)
    grown = {(interval, side): (tip, chord, thickness) for interval, side, tip, chord, thickness in LIMBS}
    for k in range(len(RINGS) - 1):
        for i in range(n):
            front, back = n * k, n * (k + 1)
            quad = [front + i, back + i, back + (i + 1) % n, front + (i + 1) % n]
            if (k, i) not in grown:
                quads.append(quad)
                part.append(BODY)
                continue
            (x, y, z), chord, thickness = grown[k, i]
            end = list(range(len(points), len(points) + 4))
            for corner, behind, second in zip(quad, (0, 1, 1, 0), (0, 0, 1, 1), strict=True):
                # Across its thickness a limb goes from the side's first corner to its second.
                across = (second - 0.5) * thickness * (1 if x >= 0 else -1)
                offset = (0, across) if x else (-across, 0)
                points.append((x + offset[0], y + offset[1], z - behind * chord, points[corner][3]))
            sides = [[quad[j], quad[(j + 1) % 4], end[(j + 1) % 4], end[j]] for j in range(4)]
            quads += [*sides, end]
            part += [FIN if x == 0 else BODY] * 5
    return np.array(points), np.array(quads), np.array(part)


def subdivided(points: np.ndarray, quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """One round of Catmull-Clark on points (V, D) and quadrilaterals (Q, 4); quadrilateral q becomes 4q to 4q + 3."""
    count, centers = len(points), points[quads].mean(1)
    ends = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    edges, edge_of = np.unique(ends, axis=0, return_inverse=True)
    edge_of = edge_of.reshape(-1, 4)
    middles = points[edges].mean(1)
    sums, valence = np.zeros_like(middles), np.zeros((count, 1))
    np.add.at(sums, edge_of, centers[:, None])
    np.add.at(valence, quads, 1.0)
    around_faces, around_edges = np.zeros_like(points), np.zeros_like(points)
    np.add.at(around_faces, quads, centers[:, None])
    np.add.at(around_edges, edges, middles[:, None])
    moved = (around_faces / valence + 2 * around_edges / valence + (valence - 3) * points) / valence
    edge_points, face_points = count + edge_of, count + len(edges) + np.arange(len(quads))
    corners = [np.stack([quads[:, j], edge_points[:, j], face_points, edge_points[:, j - 1]], axis=1) for j in range(4)]
    return np.concatenate([moved, (2 * middles + sums) / 4, centers]), np.stack(corners, axis=1).reshape(-1, 4)


def airplane() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (V, 3) whose box has a longest side of 1, faces (F, 3), and the chart (F,) of each.

    The origin is in the middle of the fuselage: projected from there to a sphere, as the original does, little else
    than the tail folds over.
    """
    points, quads, part = cage()
    for _ in range(2):
        points, quads = subdivided(points, quads)
        part = part.repeat(4)
    vertices = points[:, :3]
    # The fuselage's end goes with the lower side: behind the fin's foot the upper one is then open, and lies flat.
    upper = (points[:, 3][quads].mean(1) > 0) & (part != END)
    fin = np.where(vertices[quads, 0].mean(1) > 0, FIN_RIGHT, FIN_LEFT)
    chart = np.where(part == FIN, fin, np.where(upper, UPPER, LOWER))
    # The shorter diagonal; rounded, so that both sides choose alike.
    lengths = [np.round(((vertices[quads[:, i]] - vertices[quads[:, i + 2]]) ** 2).sum(1), 9) for i in range(2)]
    first = (lengths[0] <= lengths[1])[:, None, None]
    halves = np.where(first, quads[:, [[0, 1, 2], [0, 2, 3]]], quads[:, [[1, 2, 3], [1, 3, 0]]])
    low, high = vertices.min(0), vertices.max(0)
    middle = (low + high) / 2 * [1, 0, 1]
    return (vertices - middle) / (high - low).max(), halves.reshape(-1, 3), chart.repeat(2)


def flattened(vertices: np.ndarray, faces: np.ndarray, start: np.ndarray, rounds: int = 100) -> np.ndarray:
    """Positions (V, 2) in the plane that keep the triangles' shapes as well as rotations allow, from `start` on."""
    a, b, c = (vertices[faces[:, i]] for i in range(3))
    # Each triangle in a plane of its own, as complex numbers: the first edge along the real axis.
    length = np.sqrt(((b - a) ** 2).sum(1))
    along = ((c - a) * (b - a)).sum(1) / length
    height = np.sqrt(((c - a) ** 2).sum(1) - along**2)
    flat = np.stack([np.zeros_like(length), length + 0j, along + 1j * height], axis=1)
    i, j = faces[:, [1, 2, 0]], faces[:, [2, 0, 1]]
    edges = flat[:, [2, 0, 1]] - flat[:, [1, 2, 0]]  # opposite to each corner
    before, after = edges[:, [2, 0, 1]], edges[:, [1, 2, 0]]
    cotangent = -(before * after.conj()).real / np.abs((before * after.conj()).imag)
    weight = np.maximum(cotangent, 0.05)  # obtuse corners would push apart
    rows, columns = np.concatenate([i, j], axis=None), np.concatenate([j, i], axis=None)
    values = np.concatenate([weight, weight], axis=None)
    laplacian = coo_matrix(
        (np.concatenate([values, -values]), (np.concatenate([rows, rows]), np.concatenate([rows, columns])))
    ).tocsc()
    laplacian[0, 0] += 1.0  # holds the first vertex
    solver = splu(laplacian.tocsc())
    plane = start[:, 0] + 1j * start[:, 1]
    for _ in range(rounds):
        turn = (weight * (plane[j] - plane[i]) * edges.conj()).sum(1)
        turn = turn / np.maximum(np.abs(turn), 1e-12)
        pull = weight * turn[:, None] * edges
        right = np.zeros(len(vertices), dtype=complex)
        np.add.at(right, j, pull)
        np.add.at(right, i, -pull)
        right[0] += plane[0]
        plane = solver.solve(right.real) + 1j * solver.solve(right.imag)
    return np.stack([plane.real, plane.imag], axis=1)


def unwrapped(vertices: np.ndarray, faces: np.ndarray, chart: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Texture coordinates (T, 2) in [0, 1] and their indices (F, 3) at the corners of the faces."""
    coordinates, indices, count = [], np.zeros_like(faces), 0
    # The planes that charts are seen in: from above, from below, from the right, from the left.
    seen = {UPPER: (-1, 0, 2), LOWER: (1, 0, 2), FIN_RIGHT: (-1, 2, 1), FIN_LEFT: (1, 2, 1)}
    for name, (turns, u, v) in LAYOUT.items():
        own = chart == name
        used, local = np.unique(faces[own], return_inverse=True)
        sign, horizontal, vertical = seen[name]
        start = vertices[used][:, [horizontal, vertical]] * [sign, 1]
        plane = flattened(vertices[used], local.reshape(-1, 3), start)
        for _ in range(turns):
            plane = plane[:, ::-1] * [-1, 1]
        plane = plane - (plane.min(0) + plane.max(0)) / 2
        coordinates.append(SCALE * plane + [u, v])
        indices[own] = local.reshape(-1, 3) + count
        count += len(used)
    return np.concatenate(coordinates), indices


def obj() -> str:
    """The template as the text of an OBJ file."""
    vertices, faces, chart = airplane()
    coordinates, indices = unwrapped(vertices, faces, chart)
    lines = ["# Template of airplanes; written by python -m genren.geometry.airplane"]
    lines += [f"v {x:.5f} {y:.5f} {z:.5f}" for x, y, z in vertices.round(5) + 0.0]  # no negative zero
    lines += [f"vt {u:.5f} {v:.5f}" for u, v in coordinates]
    corners = np.stack([faces, indices], axis=-1) + 1
    lines += ["f " + " ".join(f"{v}/{t}" for v, t in face) for face in corners]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    with replacing(PRESETS / "airplane.obj") as temporary:
        temporary.write_text(obj())
