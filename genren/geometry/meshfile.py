"""Reading mesh files: GLB, glTF, OBJ and OFF, parsed by trimesh.

Trimesh is lenient: it goes on without a texture it cannot find, rounds linear colours to 8 bits and reads zeros where
it does not know an extension. So what a file names is looked up here first, in the file's own folder and nowhere else,
and what trimesh would get wrong is refused. Nothing is ever unpickled or fetched from the network.
"""

import io
import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

import numpy as np
import trimesh

from genren.errors import InputError
from genren.geometry.color import srgb_to_linear
from genren.geometry.mesh import TexturedMesh

# What has neither a material nor vertex colours, in linear light.
GREY = 0.5

# Name under which trimesh asks for the binary chunk of a GLB file.
BINARY_CHUNK = "binary chunk"

# glTF extensions that may be ignored although a file requires them: they change how light plays, not where things are.
IGNORABLE = re.compile(r"KHR_materials_(?!pbrSpecularGlossiness)|EXT_texture_webp")

Scene = tuple[trimesh.Scene, list[dict[str, Any]]]  # with the materials of the glTF header, [] for other formats


def load_mesh(path: Path) -> TexturedMesh:
    """Read a mesh with its node transforms applied and all of its parts joined; no vertex is merged or dropped.

    Colours: in glTF `baseColorFactor` and `COLOR_0` are linear; in OBJ `Kd` and vertex colours are taken as sRGB; OFF
    has none. Textures are opaque: an alpha channel is ignored. Whatever has no colour at all is grey.
    """
    loader = LOADERS.get(path.suffix.lower())
    if loader is None:
        raise InputError(f"{path} has the suffix {path.suffix!r}; known are {', '.join(LOADERS)}")
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected a mesh file: {', '.join(LOADERS)}")
    try:
        scene, materials = loader(path)
        return _joined(path, scene, materials)
    except InputError:
        raise
    except Exception as error:  # the parser of a damaged file may fail in any way
        reason = f"{type(error).__name__}: {error}".splitlines()[0]
        raise InputError(f"{path} is damaged or no {path.suffix[1:]} file ({reason}); export it again") from error


def _load_gltf(path: Path) -> Scene:
    """Parse a GLB or glTF file."""
    data = path.read_bytes()
    header, chunk = _split_glb(path, data) if path.suffix.lower() == ".glb" else (json.loads(data), None)
    for problem in _unsupported(header):
        raise InputError(f"{path} {problem}, which is not supported; export it as plain glTF 2.0")

    assets = {}
    for item in [*header.get("buffers", []), *header.get("images", [])]:
        if "uri" in item and not item["uri"].startswith("data:"):
            assets[item["uri"]] = _asset(path, item["uri"], unquote(item["uri"]))
    if chunk is not None and header.get("buffers") and "uri" not in header["buffers"][0]:
        header["buffers"][0]["uri"] = BINARY_CHUNK
        assets[BINARY_CHUNK] = chunk

    # Materials are named by their number, and every primitive gets one: that is how its exact colours are found again.
    materials = [*header.get("materials", []), {}]
    header["materials"] = [{**material, "name": str(number)} for number, material in enumerate(materials)]
    for primitive in _primitives(header):
        primitive.setdefault("material", len(materials) - 1)
    return trimesh.load_scene(io.BytesIO(json.dumps(header).encode()), file_type="gltf", resolver=assets), materials


def _split_glb(path: Path, data: bytes) -> tuple[dict[str, Any], bytes]:
    """JSON header and binary chunk of a GLB file."""
    if len(data) < 20 or data[:4] != b"glTF":
        raise InputError(f"{path} does not begin like a GLB file ({len(data)} bytes); expected glTF 2.0 binary")
    length, header_length = struct.unpack_from("<8xII", data)
    if length > len(data):
        raise InputError(f"{path} is truncated: {len(data)} bytes of {length} that it announces; copy it again")
    end = 20 + header_length
    chunk_length = struct.unpack_from("<I", data, end)[0] if length >= end + 8 else 0
    return json.loads(data[20:end]), data[end + 8 : end + 8 + chunk_length]


def _primitives(header: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All primitives of a glTF header."""
    for mesh in header.get("meshes", []):
        yield from mesh["primitives"]


def _unsupported(header: dict[str, Any]) -> Iterator[str]:
    """What trimesh would read wrongly or not at all, one phrase each."""
    version = header.get("asset", {}).get("version")
    if str(version).split(".")[0] != "2":
        yield f"is glTF {version}"
    for name in header.get("extensionsRequired", []):
        if not IGNORABLE.match(name):
            yield f"requires the extension {name}"
    accessors = header.get("accessors", [])
    if any("sparse" in accessor or "bufferView" not in accessor for accessor in accessors):
        yield "has sparse or empty accessors"
    for primitive in _primitives(header):
        if primitive.get("mode") == 6:
            yield "has triangle fans"
        uvs = primitive["attributes"].get("TEXCOORD_0")
        if uvs is not None and accessors[uvs]["componentType"] != 5126:
            yield "has integer texture coordinates"
    for material in header.get("materials", []):
        if "KHR_materials_pbrSpecularGlossiness" in material.get("extensions", {}):
            yield "has a material of the extension KHR_materials_pbrSpecularGlossiness"
        texture = material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})
        if texture.get("texCoord", 0) != 0 or "KHR_texture_transform" in texture.get("extensions", {}):
            yield "has a texture with a second or transformed set of coordinates"


def _load_obj(path: Path) -> Scene:
    """Parse an OBJ file and the material files it names."""
    text = re.sub(r"^\s*#.*$", "", path.read_text(errors="replace"), flags=re.MULTILINE)
    if re.search(r"^f\s.*(?<=[\s/])-\d", text, flags=re.MULTILINE):
        raise InputError(f"{path} has relative (negative) face indices, which are not supported; export absolute ones")
    libraries = re.findall(r"^mtllib\s+(.*\S)", text, flags=re.MULTILINE)
    materials = b"\n".join(_asset(path, name, name) for name in libraries)
    textures = re.findall(r"^\s*map_kd\s+(.*\S)", materials.decode(errors="replace"), flags=re.MULTILINE | re.IGNORECASE)
    assets = {name: _asset(path, name, name) for name in textures}
    if libraries:
        assets[libraries[0]] = materials  # trimesh asks for the first one only
    return trimesh.load_scene(io.BytesIO(text.encode()), file_type="obj", resolver=assets, process=False), []


def _load_off(path: Path) -> Scene:
    """Parse an OFF file: geometry alone."""
    return trimesh.load_scene(io.BytesIO(path.read_bytes()), file_type="off", process=False), []


def _asset(path: Path, written: str, name: str) -> bytes:
    """A file that a mesh file names; one outside of the mesh file's folder is refused."""
    relative = PurePosixPath(name.replace("\\", "/"))
    file = path.parent / relative
    if relative.is_absolute() or not file.resolve().is_relative_to(path.parent.resolve()):
        raise InputError(f"{path} names {written!r}, outside of its folder; put the file beside the mesh")
    if not file.is_file():
        raise InputError(f"{path} names {written!r}, which is not in its folder; put the file beside the mesh")
    return file.read_bytes()


def _joined(path: Path, scene: trimesh.Scene, materials: list[dict[str, Any]]) -> TexturedMesh:
    """All triangle meshes of a scene in world space, checked."""
    vertices, faces, colors, uvs, texture_of = [], [], [], [], []
    images: dict[int, tuple[int, np.ndarray]] = {}  # decoded once, by identity of the picture
    count = 0
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        geometry = scene.geometry[name]
        if not isinstance(geometry, trimesh.Trimesh) or len(geometry.faces) == 0:
            continue
        part_vertices = np.asarray(geometry.vertices, dtype=np.float64)
        part_faces = np.asarray(geometry.faces, dtype=np.int64)
        if part_faces.min() < 0 or part_faces.max() >= len(part_vertices):
            raise InputError(
                f"{path} has faces of vertex {part_faces.max()} where {len(part_vertices)} vertices are; export it again"
            )
        # A mirroring transform turns triangles inside out; reversing their corners turns them back.
        if np.linalg.det(transform[:3, :3]) < 0:
            part_faces = part_faces[:, ::-1]
        part_colors, part_uvs, image = _appearance(path, geometry, materials)
        texture = -1
        if image is not None and part_uvs is not None:
            texture, _ = images.setdefault(id(image), (len(images), np.asarray(image.convert("RGB"))))
        vertices.append(part_vertices @ transform[:3, :3].T + transform[:3, 3])
        faces.append(part_faces + count)
        colors.append(part_colors[part_faces])
        uvs.append(part_uvs[part_faces] if texture >= 0 else np.zeros((len(part_faces), 3, 2)))
        texture_of.append(np.full(len(part_faces), texture))
        count += len(part_vertices)

    if not faces:
        raise InputError(f"{path} has no faces; expected a triangle mesh")
    mesh = TexturedMesh(
        np.concatenate(vertices),
        np.concatenate(faces),
        np.concatenate(colors).clip(0, 1).astype(np.float32),
        np.concatenate(uvs).astype(np.float32),
        np.concatenate(texture_of),
        tuple(pixels for _, pixels in images.values()),
    )
    if not all(np.isfinite(array).all() for array in (mesh.vertices, mesh.face_colors, mesh.face_uvs)):
        raise InputError(f"{path} has vertices, colours or texture coordinates that are not finite; export it again")
    if not np.ptp(mesh.vertices, axis=0).max() > 0:
        raise InputError(f"{path} has all of its vertices in one point; expected a mesh with an extent")
    return mesh


def _appearance(
    path: Path, geometry: trimesh.Trimesh, materials: list[dict[str, Any]]
) -> tuple[np.ndarray, np.ndarray | None, Any]:
    """Linear colour of each vertex (V, 3), texture coordinates (V, 2) or None, picture or None."""
    visual = geometry.visual
    colors = np.ones((len(geometry.vertices), 3))
    if isinstance(visual, trimesh.visual.ColorVisuals):  # an OBJ or OFF file without materials
        if visual.kind != "vertex":
            return colors * GREY, None, None
        return srgb_to_linear(np.asarray(visual.vertex_colors)[:, :3] / 255), None, None

    if not materials:  # OBJ
        settings = visual.material.kwargs
        image = visual.material.image
        default = np.full(3, GREY if image is None else 1.0)
        base = srgb_to_linear(np.array(settings["kd"])) if "kd" in settings else default
        return colors * base, visual.uv, image

    number = int(visual.material.name)
    settings = materials[number].get("pbrMetallicRoughness", {})
    image = visual.material.baseColorTexture
    if image is None and "baseColorTexture" in settings:
        raise InputError(f"{path} has a texture that cannot be decoded; expected PNG or JPEG")
    stored = visual.vertex_attributes.get("color")
    if stored is not None:  # floats, or integers that stand for fractions of their largest value
        largest = 1 if stored.dtype.kind == "f" else np.iinfo(stored.dtype).max
        colors = np.asarray(stored[:, :3], dtype=np.float64) / largest
    default = GREY if stored is None and number == len(materials) - 1 else 1.0
    return colors * np.array(settings.get("baseColorFactor", [default] * 3))[:3], visual.uv, image


LOADERS: dict[str, Callable[[Path], Scene]] = {
    ".glb": _load_gltf,
    ".gltf": _load_gltf,
    ".obj": _load_obj,
    ".off": _load_off,
}
