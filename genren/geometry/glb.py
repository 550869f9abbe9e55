"""Writing GLB files (glTF 2.0 binary).

Written here and not through trimesh, because trimesh stores vertex colours as 8 bits of linear light, which leaves
dark colours a handful of steps.
"""

import io
import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genren.files import replacing
from genren.geometry.color import srgb_to_linear
from genren.geometry.mesh import TexturedMesh

ARRAY_BUFFER, ELEMENT_ARRAY_BUFFER = 34962, 34963
FLOAT, UNSIGNED_INT = 5126, 5125


def save_glb(
    path: Path,
    vertices: np.ndarray,
    faces: np.ndarray,
    vertex_colors: np.ndarray | None = None,
    uvs: np.ndarray | None = None,
    texture: Image.Image | None = None,
) -> None:
    """Write one mesh, as the models make them, atomically.

    vertices (V, 3), faces (F, 3); vertex_colors (V, 3) sRGB, uint8 or floats in [0, 1], stored linear as glTF wants;
    uvs, v up, per vertex (V, 2) or per corner (F, 3, 2), with the sRGB texture they index. Without colours it is white.
    """
    colors = np.ones((len(vertices), 3)) if vertex_colors is None else np.asarray(vertex_colors)
    if colors.dtype == np.uint8:
        colors = colors / 255
    corners = np.zeros((len(faces), 3, 2)) if uvs is None else uvs if np.ndim(uvs) == 3 else np.asarray(uvs)[faces]
    textured = texture is not None
    mesh = TexturedMesh(
        np.asarray(vertices, dtype=np.float64),
        np.asarray(faces, dtype=np.int64),
        srgb_to_linear(colors)[faces].astype(np.float32),
        np.asarray(corners, dtype=np.float32),
        np.full(len(faces), 0 if textured else -1),
        (np.asarray(texture.convert("RGB")),) if texture is not None else (),
    )
    save_mesh(path, mesh)


def save_mesh(path: Path, mesh: TexturedMesh) -> None:
    """Write a textured mesh atomically, one primitive per texture; what `load_mesh` reads back is the same surface.

    Corners that agree in vertex, colour and coordinates share a vertex, in the order of `mesh.vertices`.
    """
    document = _Document()
    for texture in np.unique(mesh.face_texture):
        document.add_primitive(mesh, mesh.face_texture == texture, mesh.textures[texture] if texture >= 0 else None)
    with replacing(path) as temporary:
        temporary.write_bytes(document.to_bytes())


class _Document:
    """A glTF header and its binary buffer while they grow."""

    def __init__(self) -> None:
        self.buffer = bytearray()
        self.header: dict[str, Any] = {
            "asset": {"version": "2.0", "generator": "genren"},
            "scene": 0,
            "scenes": [{"nodes": [0]}],
            "nodes": [{"mesh": 0}],
            "meshes": [{"primitives": []}],
            "materials": [],
            "accessors": [],
            "bufferViews": [],
            "buffers": [],
        }

    def add_primitive(self, mesh: TexturedMesh, chosen: np.ndarray, texture: np.ndarray | None) -> None:
        """Append the chosen faces (F,) of a mesh, which share a texture or have none."""
        corners = np.concatenate(
            [mesh.faces[chosen][..., None], mesh.face_colors[chosen], mesh.face_uvs[chosen]], axis=-1
        ).reshape(-1, 6)
        unique, indices = np.unique(corners, axis=0, return_inverse=True)
        positions = mesh.vertices[unique[:, 0].astype(np.int64)].astype(np.float32)
        position = self.add_accessor(positions, "VEC3", ARRAY_BUFFER)
        # The one attribute whose bounds glTF asks for.
        bounds = {"min": positions.min(0).tolist(), "max": positions.max(0).tolist()}
        self.header["accessors"][position].update(bounds)
        attributes = {
            "POSITION": position,
            "COLOR_0": self.add_accessor(unique[:, 1:4].astype(np.float32), "VEC3", ARRAY_BUFFER),
        }
        surface: dict[str, Any] = {"metallicFactor": 0, "roughnessFactor": 1}
        if texture is not None:
            # v points up here and down in glTF.
            uvs = (unique[:, 4:] * [1, -1] + [0, 1]).astype(np.float32)
            attributes["TEXCOORD_0"] = self.add_accessor(uvs, "VEC2", ARRAY_BUFFER)
            surface["baseColorTexture"] = {"index": self.add_texture(texture)}
        faces = self.add_accessor(indices.reshape(-1).astype(np.uint32), "SCALAR", ELEMENT_ARRAY_BUFFER)
        primitive = {"attributes": attributes, "indices": faces, "material": len(self.header["materials"])}
        self.header["materials"].append({"pbrMetallicRoughness": surface, "doubleSided": True})
        self.header["meshes"][0]["primitives"].append(primitive)

    def add_view(self, data: bytes, **settings: int) -> int:
        """Append bytes to the buffer, aligned as glTF asks; returns the number of the view on them."""
        view = {"buffer": 0, "byteOffset": len(self.buffer), "byteLength": len(data), **settings}
        self.buffer += data + bytes(-len(data) % 4)
        self.header["bufferViews"].append(view)
        return len(self.header["bufferViews"]) - 1

    def add_accessor(self, array: np.ndarray, kind: str, target: int) -> int:
        """Append an array of float32 or uint32; returns the number of its accessor."""
        view = self.add_view(array.astype(array.dtype.newbyteorder("<")).tobytes(), target=target)
        component = FLOAT if array.dtype.kind == "f" else UNSIGNED_INT
        accessor = {"bufferView": view, "componentType": component, "count": len(array), "type": kind}
        self.header["accessors"].append(accessor)
        return len(self.header["accessors"]) - 1

    def add_texture(self, pixels: np.ndarray) -> int:
        """Append an sRGB picture (H, W, 3) as PNG; returns the number of its texture."""
        png = io.BytesIO()
        Image.fromarray(pixels).save(png, format="PNG")
        images = self.header.setdefault("images", [])
        images.append({"bufferView": self.add_view(png.getvalue()), "mimeType": "image/png"})
        textures = self.header.setdefault("textures", [])
        textures.append({"source": len(images) - 1})
        return len(textures) - 1

    def to_bytes(self) -> bytes:
        """The GLB file: a 12-byte head, the header in JSON, the buffer."""
        self.header["buffers"] = [{"byteLength": len(self.buffer)}]
        header = json.dumps(self.header, separators=(",", ":")).encode()
        header += b" " * (-len(header) % 4)
        chunks = struct.pack("<I4s", len(header), b"JSON") + header
        chunks += struct.pack("<I4s", len(self.buffer), b"BIN\0") + bytes(self.buffer)
        return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
