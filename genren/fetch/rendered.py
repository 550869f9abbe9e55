"""Models that come as meshes: made visible here, in the protocol of 3D-R2N2, and sampled."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from genren.categories import synset
from genren.data import r2n2
from genren.data.clouds import cloud_file, write_cloud
from genren.errors import InputError
from genren.fetch.orientation import outward
from genren.fetch.rendering import render_views
from genren.geometry.meshfile import load_mesh
from genren.geometry.sampling import sample_surface
from genren.params import FetchParams


def write_rendered(
    folder: Path, category: str, name: str, write_glb: Callable[[Path], None], params: FetchParams, orient: bool
) -> None:
    """Write a model's mesh, renders and cloud; what is rendered is what `load_mesh` reads back from the GLB.

    `orient` turns faces whose winding shows their inside, so that the cloud's normals point outward.
    """
    glb = folder / "meshes" / synset(category) / name / "model.glb"
    try:
        write_glb(glb)
        mesh = load_mesh(glb).normalized(diagonal=True)
        # A model's numbers depend on its own name, not on which other models there are.
        rng = np.random.default_rng([params.seed, *f"{category}/{name}".encode()])
        views = r2n2.draw_views(params.views, rng)
        if orient:
            mesh = replace(mesh, faces=outward(mesh.vertices, mesh.faces))
        points, normals, _ = sample_surface(mesh.vertices, mesh.faces, params.points, rng)
    except InputError:
        shutil.rmtree(glb.parent, ignore_errors=True)
        raise

    images = render_views(mesh, views, params.image_size, params.supersample, params.ambient)
    rendering = r2n2.rendering_folder(folder, category, name)
    rendering.mkdir(parents=True, exist_ok=True)
    r2n2.write_views(rendering, views)
    for index, image in enumerate(images):
        r2n2.write_image(rendering / r2n2.image_name(index), image)
    write_cloud(cloud_file(folder, category, name), points, normals)
