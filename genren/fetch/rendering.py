"""Renders of a textured mesh in the protocol of 3D-R2N2."""

import numpy as np
import torch

from genren.data.r2n2 import Views
from genren.geometry.camera import Camera, r2n2_camera
from genren.geometry.color import linear_to_srgb, srgb_to_linear
from genren.geometry.mesh import TexturedMesh
from genren.render import rasterize

# Directions towards two lights that are fixed to the object, and their strengths: a main one from above, in front (+z)
# and a little from the right, and a weak one from behind, so that the sides in shadow differ too. They never add up to
# more than 1.
LIGHTS = np.array([[0.4, 0.8, 0.6], [-0.4, 0.2, -0.8]])
LIGHTS /= np.linalg.norm(LIGHTS, axis=1, keepdims=True)
STRENGTHS = np.array([1.0, 0.3])

# How far past an edge of the texture a coordinate may lie by rounding before the texture repeats.
EDGE = 1e-4

SRGB_TO_LINEAR = srgb_to_linear(np.arange(256) / 255).astype(np.float32)


def render_views(mesh: TexturedMesh, views: Views, size: int, supersample: int, ambient: float) -> np.ndarray:
    """Render a mesh whose box is centred and has the diagonal 1; returns (N, size, size, 4) uint8 sRGB, straight alpha.

    A pixel is the mean, in linear light, of supersample x supersample point samples. Shading is
    ambient + (1 - ambient) sum s max(0, n.l) over the lights, with the face's normal turned to the camera; at ambient 1
    it is the plain colour.
    """
    numbers = (torch.from_numpy(array).float() for array in (views.azimuth, views.elevation, views.distance_ratio))
    camera = r2n2_camera(*numbers)
    positions, face_idx, weights = _visible(mesh, camera, size * supersample)
    view, row, column = np.unravel_index(positions, (len(views), size * supersample, size * supersample))
    shade = _shade(mesh, camera.position.numpy(), ambient)
    colors = _base_colors(mesh, face_idx, weights) * shade[view, face_idx, None]

    # A pixel's colour is the mean of the samples that see the mesh, its alpha their share of all.
    pixel = (view * size + row // supersample) * size + column // supersample
    total = len(views) * size * size
    count = np.bincount(pixel, minlength=total)
    light = np.stack([np.bincount(pixel, weights=channel, minlength=total) for channel in colors.T], axis=1)
    image = np.zeros((total, 4), dtype=np.uint8)
    seen = count > 0
    image[seen, :3] = np.round(255 * linear_to_srgb(light[seen] / count[seen, None]))
    image[:, 3] = np.round(255 * count / supersample**2)
    return image.reshape(len(views), size, size, 4)


def _visible(mesh: TexturedMesh, camera: Camera, resolution: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Find the samples that see the mesh.

    Returns their flat positions in (N, resolution, resolution), faces (P,) and perspective-correct barycentric weights
    (P, 3).
    """
    points = camera.to_camera(torch.from_numpy(mesh.vertices).float()[None])
    faces = torch.from_numpy(mesh.faces)
    # 1 / depth is affine across the image, depth is not. As the depth it orders large and small faces rightly; as the
    # features' factor, divided out again, it corrects the perspective. No vertex needs clipping: the object lies within
    # 0.5 of the origin, the camera beyond 1.1.
    nearness = (-1 / points[..., 2])[:, faces]
    features, face_idx = rasterize(
        resolution, resolution, nearness, camera.project(points)[:, faces], torch.diag_embed(nearness)
    )
    face_idx = face_idx.flatten()
    positions = (face_idx >= 0).nonzero()[:, 0]
    weights = features.flatten(0, 2)[positions]
    return positions.numpy(), face_idx[positions].numpy(), (weights / weights.sum(dim=1, keepdim=True)).numpy()


def _base_colors(mesh: TexturedMesh, face_idx: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Linear base colour (P, 3) of each sample: corner colours times the nearest texel.

    Nearest and without mipmaps, because low-poly packs keep tiny colour cells side by side in one atlas, which any
    blending would mix; supersampling smooths instead.
    """
    colors = np.einsum("pk,pkc->pc", weights, mesh.face_colors[face_idx])
    texture_of = mesh.face_texture[face_idx]
    for number, texture in enumerate(mesh.textures):
        chosen = np.flatnonzero(texture_of == number)
        uv = np.einsum("pk,pkc->pc", weights[chosen], mesh.face_uvs[face_idx[chosen]])
        outside = (uv < -EDGE) | (uv > 1 + EDGE)
        uv = np.where(outside, uv - np.floor(uv), uv.clip(0, 1))
        height, width = texture.shape[:2]
        columns = (uv[:, 0] * width).astype(np.int64).clip(max=width - 1)
        rows = ((1 - uv[:, 1]) * height).astype(np.int64).clip(max=height - 1)
        colors[chosen] *= SRGB_TO_LINEAR[texture[rows, columns]]
    return colors


def _shade(mesh: TexturedMesh, eyes: np.ndarray, ambient: float) -> np.ndarray:
    """Brightness (N, F) of each face for each eye position (N, 3)."""
    corners = mesh.vertices[mesh.faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    towards = np.where(eyes @ normals.T >= (normals * corners[:, 0]).sum(axis=1), 1, -1)
    light = np.maximum(0, towards[..., None] * (normals @ LIGHTS.T)) @ STRENGTHS
    shade: np.ndarray = ambient + (1 - ambient) * light
    return shade
