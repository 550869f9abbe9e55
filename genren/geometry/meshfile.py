"""Reading mesh files: GLB, glTF, OBJ and OFF. Nothing is unpickled, fetched, or read from outside the file's folder."""

import io
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import trimesh
from PIL import Image

from genren.errors import InputError
from genren.geometry.assets import read_asset
from genren.geometry.color import srgb_to_linear
from genren.geometry.gltf import load_gltf
from genren.geometry.mesh import TexturedMesh

# What has neither a material nor vertex colours, in linear light.
GREY = 0.5


@dataclass(frozen=True)
class _Look:
    """Appearance of one geometry."""

    colors: np.ndarray  # (V, 3) linear
    uvs: np.ndarray | None = None  # (V, 2), v up
    image: Image.Image | None = None


@dataclass(frozen=True)
class _Part:
    """One geometry where it stands in the world."""

    vertices: np.ndarray  # (V, 3) float64
    faces: np.ndarray  # (F, 3) int64
    look: _Look


def load_mesh(path: Path) -> TexturedMesh:
    """Read a mesh with its node transforms applied and all of its parts joined; no vertex is merged or dropped.

    Colours: in glTF `baseColorFactor` and `COLOR_0` are linear; in OBJ `Kd` and vertex colours are taken as sRGB; OFF
    has none. Textures are opaque: an alpha channel is ignored. Whatever has no colour at all is grey.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise InputError(f"{path} has the suffix {path.suffix!r}; known are {', '.join(READERS)}")
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a mesh file: {', '.join(READERS)}")
    try:
        return _joined(path, list(reader(path)))
    except InputError:
        raise
    except Exception as error:  # the parser of a damaged file may fail in any way
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{path} is damaged or no {path.suffix[1:]} file ({reason}); export it again") from error


def _read_gltf(path: Path) -> Iterator[_Part]:
    """Parts of a GLB or glTF file."""
    scene, materials = load_gltf(path)

    def look(geometry: trimesh.Trimesh) -> _Look:
        visual: Any = geometry.visual
        number = int(visual.material.name)
        settings = materials[number].get("pbrMetallicRoughness", {})
        image = visual.material.baseColorTexture
        if image is None and "baseColorTexture" in settings:
            raise InputError(f"{path} has a texture that cannot be decoded; expected PNG or JPEG")
        colors = visual.vertex_attributes.get("color")
        if colors is None:
            nothing = number == len(materials) - 1
            colors = np.full((len(geometry.vertices), 3), GREY if nothing else 1.0)
        elif colors.dtype.kind != "f":  # integers stand for fractions of their largest value
            colors = colors / np.iinfo(colors.dtype).max
        return _Look(colors[:, :3] * settings.get("baseColorFactor", [1, 1, 1])[:3], visual.uv, image)

    return _parts(scene, look)


def _read_obj(path: Path) -> Iterator[_Part]:
    """Parts of an OBJ file, coloured by the material files that it names."""
    text = re.sub(r"^\s*#.*$", "", path.read_text(errors="replace"), flags=re.MULTILINE)
    # Trimesh counts them from the end of the file instead of from where they stand.
    if re.search(r"^f\s.*(?<=[\s/])-\d", text, flags=re.MULTILINE):
        raise InputError(f"{path} has relative (negative) face indices, which are not supported; export absolute ones")
    libraries = re.findall(r"^mtllib\s+(.*\S)", text, flags=re.MULTILINE)
    materials = b"\n".join(read_asset(path, name) for name in libraries)
    textures = re.findall(r"(?im)^\s*map_kd\s+(.*\S)", materials.decode(errors="replace"))
    assets = {name: read_asset(path, name) for name in textures}
    if libraries:
        assets[libraries[0]] = materials  # trimesh asks for the first one only

    def look(geometry: trimesh.Trimesh) -> _Look:
        visual: Any = geometry.visual
        white = np.ones((len(geometry.vertices), 3))
        if visual.kind == "vertex":
            return _Look(srgb_to_linear(visual.vertex_colors[:, :3] / 255))
        if visual.kind != "texture":
            return _Look(white * GREY)
        settings, image = visual.material.kwargs, visual.material.image
        if "kd" in settings:
            return _Look(white * srgb_to_linear(np.array(settings["kd"])), visual.uv, image)
        return _Look(white * (GREY if image is None else 1), visual.uv, image)

    scene = trimesh.load_scene(io.BytesIO(text.encode()), file_type="obj", resolver=assets, process=False)
    return _parts(scene, look)


def _read_off(path: Path) -> Iterator[_Part]:
    """The part of an OFF file."""
    text = re.sub(r"#.*", "", path.read_text(errors="replace"))
    # Trimesh takes as many faces as there happen to be.
    lines = [line for line in text.partition("OFF")[2].splitlines() if line.strip()]
    expected = sum(int(word) for word in lines[0].split()[:2])
    if len(lines) - 1 < expected:
        raise InputError(f"{path} is truncated: {len(lines) - 1} lines of {expected} that it announces; copy it again")
    scene = trimesh.load_scene(io.BytesIO(text.encode()), file_type="off", process=False)
    return _parts(scene, lambda geometry: _Look(np.full((len(geometry.vertices), 3), GREY)))


def _parts(scene: trimesh.Scene, look: Callable[[trimesh.Trimesh], _Look]) -> Iterator[_Part]:
    """All triangle meshes of a scene, in world space."""
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        geometry = scene.geometry[name]
        if not isinstance(geometry, trimesh.Trimesh) or len(geometry.faces) == 0:
            continue
        vertices = np.asarray(geometry.vertices, dtype=np.float64) @ transform[:3, :3].T + transform[:3, 3]
        faces = np.asarray(geometry.faces, dtype=np.int64)
        # A mirroring transform turns triangles inside out; reversing their corners turns them back.
        if np.linalg.det(transform[:3, :3]) < 0:
            faces = faces[:, ::-1]
        yield _Part(vertices, faces, look(geometry))


def _joined(path: Path, parts: list[_Part]) -> TexturedMesh:
    """One mesh of all parts, checked."""
    if not parts:
        raise InputError(f"{path} has no faces; expected a triangle mesh")
    images: dict[int, int] = {}  # identity of a picture -> its number
    textures: list[np.ndarray] = []
    uvs, texture_of, offsets = [], [], []
    count = 0
    for part in parts:
        if part.faces.min() < 0 or part.faces.max() >= len(part.vertices):
            raise InputError(
                f"{path} has a face with the vertex index {part.faces.max()} where there are {len(part.vertices)} "
                "vertices; export it again"
            )
        number = -1
        if part.look.image is not None and part.look.uvs is not None:
            number = images.setdefault(id(part.look.image), len(images))
            if number == len(textures):
                textures.append(np.asarray(part.look.image.convert("RGB")))
        uvs.append(np.zeros((len(part.faces), 3, 2)) if number < 0 else np.asarray(part.look.uvs)[part.faces])
        texture_of.append(np.full(len(part.faces), number))
        offsets.append(count)
        count += len(part.vertices)

    mesh = TexturedMesh(
        np.concatenate([part.vertices for part in parts]),
        np.concatenate([part.faces + offset for part, offset in zip(parts, offsets, strict=True)]),
        np.concatenate([part.look.colors[part.faces] for part in parts]).clip(0, 1).astype(np.float32),
        np.concatenate(uvs).astype(np.float32),
        np.concatenate(texture_of),
        tuple(textures),
    )
    if not all(np.isfinite(array).all() for array in (mesh.vertices, mesh.face_colors, mesh.face_uvs)):
        raise InputError(f"{path} has vertices, colours or texture coordinates that are not finite; export it again")
    if not np.ptp(mesh.vertices, axis=0).max() > 0:
        raise InputError(f"{path} has all of its vertices in one point; expected a mesh with an extent")
    return mesh


READERS: dict[str, Callable[[Path], Iterator[_Part]]] = {
    ".glb": _read_gltf,
    ".gltf": _read_gltf,
    ".obj": _read_obj,
    ".off": _read_off,
}
