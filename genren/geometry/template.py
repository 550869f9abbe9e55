"""Templates from files: closed meshes with texture coordinates, in OBJ (method: 1.3)."""

import math
from pathlib import Path

import numpy as np
import torch
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from genren.errors import InputError
from genren.geometry.rotations import about
from genren.geometry.sphere import Template, edges_and_faces, icosphere
from genren.params import PRESETS, ModelParams

# Texture coordinates stay this far from the border of [-1, 1] (method: 1.3).
BORDER = 1e-7


def make_template(params: ModelParams) -> Template:
    """The template that settings describe: a sphere, or what a file holds."""
    if params.template == "sphere":
        return icosphere(params.subdivisions, params.template_radius)
    return load_template(
        find_template(params.template),
        params.template_radius,
        params.template_projected,
        params.template_turn,
        params.template_subdivided,
    )


def find_template(name: str) -> Path:
    """The file that the setting `model.template` names: of genren/presets, or else a path."""
    ours = PRESETS / name
    if ours.suffix.lower() == ".obj" and ours.is_file():
        return ours
    if Path(name).is_file():
        return Path(name)
    known = sorted(path.name for path in PRESETS.glob("*.obj"))
    raise InputError(
        f"the template {name!r} is no file; expected sphere, {', '.join(known)}, or the path of an OBJ file"
    )


def load_template(path: Path, radius: float, projected: bool, turn: float = 0.0, subdivided: bool = False) -> Template:
    """Read a template from an OBJ file of `v`, `vt` and `f`; order of vertices and faces is the file's.

    Vertices are turned about x by `turn` degrees and multiplied by `radius`; if `projected`, they are divided by their
    own norm before, as the original does to any file. `subdivided` splits every face in four, at its edges' middles.

    Texture coordinates are (2u - 1, 2v - 1), to the letter of the method: v = 0 is the texture image's first row, as in
    glTF, and not its last, as viewers of OBJ have it. Of several coordinates of a vertex the last one that the faces
    mention is the vertex' own; `face_uvs` keeps them all. Polygons are split into fans.

    Raises InputError for a missing or damaged file, vertices without texture coordinates, and a mesh that is not closed
    or is inside out.
    """
    points, coordinates, corners = _read_obj(path)
    if subdivided:
        points, coordinates, corners = _subdivided(points, coordinates, corners)
    faces = torch.from_numpy(corners[..., 0])
    check_closed(faces, len(points), str(path))
    vertices = torch.from_numpy(points) @ about("x", torch.tensor(math.radians(turn), dtype=torch.float64)).T
    a, b, c = vertices[faces].unbind(1)
    if not (a * torch.linalg.cross(b, c)).sum() > 0:
        raise InputError(
            f"{path} is inside out; expected faces counter-clockwise seen from outside, so flip its normals"
        )
    if projected:
        norms = vertices.norm(dim=1, keepdim=True)
        if not (norms > 1e-6).all():
            raise InputError(
                f"{path} has a vertex at the origin, which template_projected cannot put on the sphere; move the mesh"
            )
        vertices = vertices / norms
    face_uvs = torch.from_numpy(2 * coordinates[corners[..., 1]] - 1).clamp(BORDER - 1, 1 - BORDER)
    uv = np.zeros((len(points), 2))
    uv[faces.numpy().reshape(-1)] = face_uvs.numpy().reshape(-1, 2)  # where indices repeat, NumPy keeps the last
    edges = edges_and_faces(faces)
    return Template((radius * vertices).float(), faces, *edges, torch.from_numpy(uv).float(), face_uvs.float())


def check_closed(faces: torch.Tensor, count: int, origin: str) -> None:
    """Raise InputError unless faces (F, 3) on `count` vertices are a closed, oriented manifold that uses them all."""
    if len(faces) == 0 or faces.min() < 0 or faces.max() >= count:
        raise InputError(f"{origin} has faces of vertices that are not there, of {count}; export it again")
    table = faces.numpy()
    unused = count - len(np.unique(table))
    if unused:
        raise InputError(f"{origin} has {unused} vertices without a face; delete loose vertices and export it again")
    start, end = table.reshape(-1), np.roll(table, -1, axis=1).reshape(-1)
    forth, back = start * count + end, end * count + start
    # Every edge once in either direction: two faces each, wound alike.
    if (start == end).any() or len(np.unique(forth)) < len(forth) or not np.array_equal(np.sort(forth), np.sort(back)):
        wrong = len(np.setdiff1d(back, forth)) + len(forth) - len(np.unique(forth))
        raise InputError(
            f"{origin} is no closed mesh: {wrong} edges are not shared by two faces of one orientation; close its holes"
        )
    # Corners of one vertex, joined across edges, are one fan; at a vertex where two surfaces touch they are two.
    corner = np.arange(len(forth))
    across = np.argsort(forth)[np.searchsorted(np.sort(forth), back)]  # corner whose edge runs back along this one's
    after = across // 3 * 3 + (across + 1) % 3  # that face's corner at this corner's vertex
    joined = coo_matrix((np.ones(len(corner)), (corner, after)), shape=(len(corner), len(corner)))
    fans, _ = connected_components(joined, directed=False)
    if fans != count:
        raise InputError(
            f"{origin} has {fans - count} vertices where surfaces only touch; split them and export it again"
        )


def _subdivided(
    points: np.ndarray, coordinates: np.ndarray, corners: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Faces split in four; points and texture coordinates are split apart, since seams have two of the latter."""
    halves = []
    for index, values in enumerate((points, coordinates)):
        faces = corners[..., index]
        edges = np.sort(np.stack([faces, np.roll(faces, -1, axis=1)], axis=-1), axis=-1)  # (F, 3, 2)
        unique, inverse = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
        middle = len(values) + inverse.reshape(faces.shape)  # of the edge that begins at each corner
        before = np.roll(middle, 1, axis=1)
        outer = np.stack([faces, middle, before], axis=-1).reshape(-1, 3)
        halves.append((np.concatenate([values, values[unique].mean(1)]), np.concatenate([outer, middle])))
    (points, of_points), (coordinates, of_coordinates) = halves
    return points, coordinates, np.stack([of_points, of_coordinates], axis=-1)


def _read_obj(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Points (V, 3), texture coordinates (T, 2), and per triangle's corner the indices of both (F, 3, 2)."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected an OBJ file with texture coordinates")
    points: list[list[float]] = []
    coordinates: list[list[float]] = []
    corners: list[list[list[int]]] = []
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        kind, *words = line.partition("#")[0].split() or [""]
        try:
            if kind == "v":
                points.append(_numbers(words, 3))
            elif kind == "vt":
                coordinates.append(_numbers(words, 2))
            elif kind == "f":
                polygon = [_corner(word, len(points), len(coordinates)) for word in words]
                if len(polygon) < 3:
                    raise ValueError("a face of fewer than three corners")
                corners += [[polygon[0], polygon[i], polygon[i + 1]] for i in range(1, len(polygon) - 1)]
        except ValueError as error:
            raise InputError(f"{path}, line {number}: {error}; expected an OBJ file with texture coordinates") from None
    if not corners:
        raise InputError(f"{path} has no faces; expected an OBJ file with texture coordinates")
    return np.array(points), np.array(coordinates), np.array(corners)


def _numbers(words: list[str], count: int) -> list[float]:
    values = [float(word) for word in words[:count]]
    if len(values) < count or not np.isfinite(values).all():
        raise ValueError(f"{' '.join(words)!r} is not {count} finite numbers")
    return values


def _corner(word: str, points: int, coordinates: int) -> list[int]:
    """Zero-based indices of `v/vt` or `v/vt/vn`; negative ones count back from what was read so far."""
    parts = word.split("/")
    if len(parts) < 2 or not parts[1]:
        raise ValueError(f"the corner {word!r} has no texture coordinate; unwrap the mesh and export it with them")
    indices = []
    for part, count in zip(parts[:2], (points, coordinates), strict=True):
        index = int(part)
        index = index - 1 if index > 0 else count + index
        if not 0 <= index < count:
            raise ValueError(f"the corner {word!r} is of something that is not there yet")
        indices.append(index)
    return indices
