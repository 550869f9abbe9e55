"""Results as files that other programs open."""

from pathlib import Path

import torch
from PIL import Image

from genren.geometry.glb import save_glb
from genren.models.model import GenerativeRenderer
from genren.models.translate import Translation


def save_meshes(paths: list[Path], model: GenerativeRenderer, result: Translation) -> None:
    """Write each canonical mesh as GLB: with its texture image if the model draws that, else with vertex colours."""
    faces = model.template_faces.cpu().numpy()
    u, w = model.template_face_uvs.cpu().unbind(-1)
    uvs = torch.stack([(u + 1) / 2, (1 - w) / 2], dim=-1).numpy()
    for i, path in enumerate(paths):
        vertices, texture = result.vertices[i].cpu().numpy(), result.texture
        if model.params.texture_sampling == "vertex":
            save_glb(path, vertices, faces, texture.colors[i].cpu().numpy())
            continue
        texels = (texture.image[i].clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()
        save_glb(path, vertices, faces, uvs=uvs, texture=Image.fromarray(texels, "RGB"))
