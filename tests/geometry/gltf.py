"""Small glTF documents, written number by number, for the tests of the reader."""

import base64
import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SQUARE = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]
SQUARE_FACES = [0, 1, 2, 0, 2, 3]
SQUARE_UVS = [[0, 1], [1, 1], [1, 0], [0, 0]]  # as glTF counts: v down
COMPONENTS = {"float32": 5126, "uint32": 5125, "uint16": 5123, "uint8": 5121}
KINDS = {1: "SCALAR", 2: "VEC2", 3: "VEC3", 4: "VEC4"}


def data_uri(data: bytes) -> str:
    """Bytes as a base64 URI."""
    return "data:application/octet-stream;base64," + base64.b64encode(data).decode()


def png_bytes(pixels: Any) -> bytes:
    """A picture as PNG."""
    stream = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(stream, format="PNG")
    return stream.getvalue()


def document(
    positions: Any = SQUARE,
    faces: Any = SQUARE_FACES,
    material: dict[str, Any] | None = None,
    node: dict[str, Any] | None = None,
    **attributes: Any,
) -> dict[str, Any]:
    """A glTF header of one mesh with its buffers inside; attributes are arrays by glTF name, their dtype counts."""
    header: dict[str, Any] = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, **(node or {})}],
        "accessors": [],
        "bufferViews": [],
        "buffers": [],
    }

    def add(array: np.ndarray) -> int:
        array = array.reshape(len(array), -1)
        header["buffers"].append({"uri": data_uri(array.tobytes()), "byteLength": array.nbytes})
        header["bufferViews"].append({"buffer": len(header["buffers"]) - 1, "byteLength": array.nbytes})
        header["accessors"].append(
            {
                "bufferView": len(header["bufferViews"]) - 1,
                "componentType": COMPONENTS[str(array.dtype)],
                "normalized": array.dtype.kind == "u" and array.shape[1] > 1,
                "count": len(array),
                "type": KINDS[array.shape[1]],
            }
        )
        return len(header["accessors"]) - 1

    numbers = {name: add(np.asarray(array)) for name, array in attributes.items()}
    primitive = {
        "attributes": {"POSITION": add(np.asarray(positions, dtype=np.float32)), **numbers},
        "indices": add(np.asarray(faces, dtype=np.uint32)),
    }
    if material is not None:
        header["materials"] = [material]
        primitive["material"] = 0
    header["meshes"] = [{"primitives": [primitive]}]
    return header


def textured(pixels: Any, factor: Any = (1, 1, 1, 1)) -> dict[str, Any]:
    """A square that shows a picture."""
    surface = {"baseColorTexture": {"index": 0}, "baseColorFactor": list(factor)}
    uvs = np.array(SQUARE_UVS, dtype=np.float32)
    header = document(material={"pbrMetallicRoughness": surface}, TEXCOORD_0=uvs)
    return {**header, "textures": [{"source": 0}], "images": [{"uri": data_uri(png_bytes(pixels))}]}


def write(path: Path, header: dict[str, Any]) -> Path:
    """Write a header as .gltf, or as .glb without a binary chunk."""
    data = json.dumps(header).encode()
    if path.suffix == ".glb":
        data += b" " * (-len(data) % 4)
        data = struct.pack("<4sIII4s", b"glTF", 2, 20 + len(data), len(data), b"JSON") + data
    path.write_bytes(data)
    return path
