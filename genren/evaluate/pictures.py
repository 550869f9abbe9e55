"""Pictures and meshes for the report: inputs with their re-renders, generated shapes, five views of each."""

from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from genren.data.batches import to_rgba8
from genren.models.export import save_meshes
from genren.models.model import GenerativeRenderer
from genren.models.parts import Draw, place
from genren.models.translate import Translation, five_views


def write_pictures(
    folder: Path, draw: Draw, model: GenerativeRenderer, result: Translation, inputs: Tensor | None = None
) -> None:
    """Write NN_input.png (if there were any), NN_rerender.png or NN_render.png, NN_views.png and NN.glb per result.

    RGBA with straight alpha. `draw` decides size and edges of all renders, also of those at the result's own pose.
    """
    folder.mkdir(parents=True, exist_ok=True)
    views = five_views(draw, result)
    renders = draw(place(result.vertices[:, None], result.pose)[:, 0], result.texture)
    for i in range(len(result.vertices)):
        if inputs is not None:
            _write(folder / f"{i:02d}_input.png", to_rgba8(inputs[i : i + 1])[0])
        name = "render" if inputs is None else "rerender"
        _write(folder / f"{i:02d}_{name}.png", to_rgba8(renders[i : i + 1])[0])
        _write(folder / f"{i:02d}_views.png", np.concatenate(list(to_rgba8(views[i])), axis=1))
    save_meshes([folder / f"{i:02d}.glb" for i in range(len(result.vertices))], model, result)


def _write(path: Path, pixels: np.ndarray) -> None:
    Image.fromarray(pixels, "RGBA").save(path)
