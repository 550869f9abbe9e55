"""Step `fetch`: a source of models in, renders, oriented clouds and meshes of one category out."""

import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from genren.categories import synset
from genren.data import r2n2, sources
from genren.data.clouds import cloud_file, write_cloud
from genren.errors import InputError
from genren.fetch.rendering import render_views
from genren.files import replacing_folder
from genren.geometry.meshfile import load_mesh
from genren.geometry.sampling import sample_surface
from genren.params import FetchParams

# Models rendered side by side, at most: each takes up to 200 MB.
MODELS_AT_ONCE = 4


def fetch(category: str, params: FetchParams, out: Path) -> dict[str, Any]:
    """Write `out` anew from the source that `params` names; returns the counts of what was written and skipped.

    A model that cannot be read is named in `skipped.csv`. If none can, it is an error, and `out` stays as it was.
    """
    if params.source == "procedural":
        models = sources.procedural(category, params.models, params.seed)
    else:
        models = sources.meshes(Path(params.folder), category)

    with replacing_folder(out) as folder:
        # The rasteriser and the PNG encoder let go of the interpreter's lock, so threads are enough.
        with ThreadPoolExecutor(max_workers=min(MODELS_AT_ONCE, os.cpu_count() or 1)) as pool:
            results = pool.map(lambda model: _fetch_model(category, model, params, folder), models)
            reasons = list(track(results, description=f"fetch {category}", total=len(models)))
        outcomes = list(zip(models, reasons, strict=True))
        skipped = [(model.source, reason) for model, reason in outcomes if reason]
        kept = [(model.name, model.design, model.source) for model, reason in outcomes if not reason]
        if not kept:
            raise InputError(f"none of the {len(skipped)} {category} models can be used; the first: {skipped[0][1]}")
        pd.DataFrame(kept, columns=["model", "design", "source"]).to_csv(folder / "models.csv", index=False)
        pd.DataFrame(skipped, columns=["file", "reason"]).to_csv(folder / "skipped.csv", index=False)
    return {
        "category": category,
        "source": params.source,
        "models": len(kept),
        "designs": len({design for _, design, _ in kept}),
        "images": len(kept) * params.views,
        "skipped": len(skipped),
    }


def _fetch_model(category: str, model: sources.Model, params: FetchParams, folder: Path) -> str | None:
    """Write everything about one model; returns why it was skipped, or None."""
    glb = folder / "meshes" / synset(category) / model.name / "model.glb"
    try:
        model.write_glb(glb)
        mesh = load_mesh(glb).normalized(diagonal=True)
        # A model's numbers depend on its own name, not on which other models there are.
        rng = np.random.default_rng([params.seed, *f"{category}/{model.name}".encode()])
        views = r2n2.draw_views(params.views, rng)
        points, normals, _ = sample_surface(mesh.vertices, mesh.faces, params.points, rng)
    except InputError as error:
        shutil.rmtree(glb.parent, ignore_errors=True)
        return str(error)

    images = render_views(mesh, views, params.image_size, params.supersample, params.ambient)
    rendering = r2n2.rendering_folder(folder, category, model.name)
    rendering.mkdir(parents=True)
    r2n2.write_views(rendering, views)
    for index, image in enumerate(images):
        r2n2.write_image(rendering / r2n2.image_name(index), image)

    write_cloud(cloud_file(folder, category, model.name), points, normals)
    return None
