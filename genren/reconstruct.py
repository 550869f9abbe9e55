"""Step `reconstruct`: images in, textured meshes and their re-renders out."""

from pathlib import Path

import numpy as np
import torch

from genren.data.batches import to_rgba8, to_tensor
from genren.data.images import resize_area
from genren.data.r2n2 import read_image, write_image
from genren.errors import InputError
from genren.files import replacing
from genren.models.checkpoint import Checkpoint
from genren.models.export import save_meshes
from genren.models.translate import drawer, image_to_shape
from genren.render import Renderer


def reconstruct(checkpoint: Checkpoint, images: list[Path], out: Path) -> list[Path]:
    """Write NAME.glb, NAME.png (the re-render) per image into `out`; return the meshes' paths.

    Images are square RGBA PNGs of any size. Every image is read before anything is written, so one bad
    file leaves `out` as it was. Two images of one name are an error, as one result would hide the other.
    """
    names = [path.stem for path in images]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InputError(f"several images are named {', '.join(twice)}; rename them, results are named after images")
    size = checkpoint.params.model.img_size
    pixels = np.stack([resize_area(read_image(path), size) for path in images])
    model = checkpoint.model
    draw = drawer(model, Renderer.hard(model.template_faces, model.camera, size))
    result = image_to_shape(model, draw, to_tensor(torch.from_numpy(pixels)), batch_size=64)
    out.mkdir(parents=True, exist_ok=True)
    for i, name in enumerate(names):
        with replacing(out / f"{name}.png") as temporary:
            write_image(temporary, to_rgba8(result.render[i : i + 1])[0])
    meshes = [out / f"{name}.glb" for name in names]
    save_meshes(meshes, model, result)
    return meshes
