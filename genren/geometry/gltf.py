"""Reading glTF with trimesh, made strict.

Trimesh is lenient: it goes on without a texture that it cannot find, rounds linear colours to 8 bits and reads zeros
where it does not know an extension. So the header is read here first: what trimesh would get wrong is refused, what the
file names is looked up, and the materials are kept as they stand.
"""

import io
import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import trimesh

from genren.errors import InputError
from genren.geometry.assets import read_asset

# Name under which trimesh asks for the binary chunk of a GLB file.
BINARY_CHUNK = "binary chunk"

# Extensions that may be ignored although a file requires them: they change how light plays, not what is where.
IGNORABLE = re.compile(r"KHR_materials_(?!pbrSpecularGlossiness)|EXT_texture_webp")

FLOAT, TRIANGLE_FAN = 5126, 6


def load_gltf(path: Path) -> tuple[trimesh.Scene, list[dict[str, Any]]]:
    """Parse a GLB or glTF file.

    Returns the scene and the materials of the header. Every geometry has a material whose name is its number in that
    list; the last one, empty, stands for "none".
    """
    data = path.read_bytes()
    header, chunk = _split_glb(path, data) if path.suffix.lower() == ".glb" else (json.loads(data), None)
    for problem in _unsupported(header):
        raise InputError(f"{path} {problem}, which is not supported; export it as plain glTF 2.0")

    assets = {}
    for item in [*header.get("buffers", []), *header.get("images", [])]:
        if "uri" in item and not item["uri"].startswith("data:"):
            assets[item["uri"]] = read_asset(path, unquote(item["uri"]))
    if chunk is not None and header.get("buffers") and "uri" not in header["buffers"][0]:
        header["buffers"][0]["uri"] = BINARY_CHUNK
        assets[BINARY_CHUNK] = chunk

    materials = [*header.get("materials", []), {}]
    header["materials"] = [{**material, "name": str(number)} for number, material in enumerate(materials)]
    for primitive in _primitives(header):
        primitive.setdefault("material", len(materials) - 1)
    scene = trimesh.load_scene(io.BytesIO(json.dumps(header).encode()), file_type="gltf", resolver=assets)
    return scene, materials


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
    """All primitives of a header."""
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
        if primitive.get("mode") == TRIANGLE_FAN:
            yield "has triangle fans"
        uvs = primitive["attributes"].get("TEXCOORD_0")
        if uvs is not None and accessors[uvs]["componentType"] != FLOAT:
            yield "has integer texture coordinates"
    for material in header.get("materials", []):
        if "KHR_materials_pbrSpecularGlossiness" in material.get("extensions", {}):
            yield "has a material of the extension KHR_materials_pbrSpecularGlossiness"
        texture = material.get("pbrMetallicRoughness", {}).get("baseColorTexture", {})
        if texture.get("texCoord", 0) != 0 or "KHR_texture_transform" in texture.get("extensions", {}):
            yield "has a texture with a second or transformed set of coordinates"
