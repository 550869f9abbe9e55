"""Step `generate`: new textured meshes and their renders, from the model's priors."""

from pathlib import Path

import torch

from genren.data.batches import to_rgba8
from genren.data.r2n2 import write_image
from genren.files import replacing
from genren.models.checkpoint import Checkpoint
from genren.models.export import save_meshes
from genren.models.translate import drawer, shape_to_image
from genren.render import Renderer


def generate(checkpoint: Checkpoint, count: int, seed: int, out: Path) -> list[Path]:
    """Write NNN.glb and NNN.png for `count` shapes of latent v ~ N(0, I); return the meshes' paths.

    The same seed gives the same shapes, textures and poses.
    """
    model = checkpoint.model
    torch.manual_seed(seed)
    draw = drawer(model, Renderer.hard(model.template_faces, model.camera, checkpoint.params.model.img_size))
    with torch.no_grad():
        shape = model.decode(torch.randn(count, checkpoint.params.model.dim_v))
    result = shape_to_image(model, draw, shape, batch_size=64)
    out.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        with replacing(out / f"{i:03d}.png") as temporary:
            write_image(temporary, to_rgba8(result.render[i : i + 1])[0])
    meshes = [out / f"{i:03d}.glb" for i in range(count)]
    save_meshes(meshes, model, result)
    return meshes
