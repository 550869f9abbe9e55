"""The textured triangle mesh as it comes from a file, on the CPU and in NumPy."""

from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class TexturedMesh:
    """Triangles with a colour at every corner and, where a material has one, a texture. Colours multiply as in glTF."""

    vertices: np.ndarray  # (V, 3) float64
    faces: np.ndarray  # (F, 3) int64, counter-clockwise seen from outside
    face_colors: np.ndarray  # (F, 3, 3) float32, linear RGB in [0, 1] at each corner: vertex colour x base colour
    face_uvs: np.ndarray  # (F, 3, 2) float32, v up (texel row 0 is at v = 1); zeros where there is no texture
    face_texture: np.ndarray  # (F,) int64, index into textures, -1 for none
    textures: tuple[np.ndarray, ...] = field(default=())  # each (H, W, 3) uint8, sRGB

    def normalized(self, diagonal: bool) -> "TexturedMesh":
        """Box centred at the origin; box diagonal (ShapeNet v1) or longest box side (the method) scaled to 1."""
        lower, upper = self.vertices.min(0), self.vertices.max(0)
        size = np.linalg.norm(upper - lower) if diagonal else (upper - lower).max()
        vertices = (self.vertices - (lower + upper) / 2) / size
        return TexturedMesh(vertices, self.faces, self.face_colors, self.face_uvs, self.face_texture, self.textures)
