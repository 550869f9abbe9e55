"""One category's model measured on its test split, beside its baselines and the floor of the measurement."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from genren.data.store import Store
from genren.errors import InputError
from genren.evaluate import split as splits
from genren.evaluate.extractors import missing_weights
from genren.evaluate.pictures import write_pictures
from genren.evaluate.split import Split
from genren.evaluate.systems import Measure
from genren.files import digest, replacing_folder, write_json
from genren.models.checkpoint import Checkpoint
from genren.models.model import GenerativeRenderer
from genren.models.translate import drawer
from genren.params import EvaluateParams
from genren.render import Renderer

VIEW_SIZE = 128  # pixels of a view in the report's pictures


def evaluate(
    checkpoint: Checkpoint,
    data: Path,
    params: EvaluateParams,
    metrics: Path,
    samples: Path,
    raw: Path | None = None,
    gan: Path | None = None,
) -> dict[str, Any]:
    """Measure a checkpoint on the test split of the store in `data`; write `metrics` (JSON) and the folder `samples`.

    `raw` is the folder that `fetch` wrote, for its meshes: the close look's dense samples and volumes. `gan` is the
    image generator that `baseline` wrote. Without either, what needs it is left out.

    Returns what the JSON holds: metrics, baselines and floor, their intervals, and everything that makes the numbers
    comparable.
    """
    store = Store.open(data)
    _check_pair(checkpoint, store, data)
    test, training = (splits.load(store, name, params, raw) for name in ("test", "train"))
    measure = Measure(checkpoint, params, test, training)

    model, to_shape, to_image = measure.model(checkpoint.model)
    torch.manual_seed(checkpoint.seed)
    untrained, _, _ = measure.model(GenerativeRenderer(checkpoint.params.model).eval())
    baselines = {"untrained": untrained} | measure.baselines()
    if gan is not None and gan.exists():
        baselines["gan"] = measure.image_gan(gan)
    floor = measure.floor()
    systems = {"model": model, **baselines, "floor": floor}
    result = {
        "category": checkpoint.category,
        "seed": checkpoint.seed,
        "metrics": model.metrics,
        "baselines": {name: system.metrics for name, system in baselines.items()},
        "floor": floor.metrics,
        "intervals": {name: system.intervals for name, system in systems.items()},
        "over_views": {name: system.over_views for name, system in systems.items() if system.over_views},
        "failed": {name: system.failed for name, system in systems.items() if system.failed},
        "comparable": _comparable(checkpoint, data, store, test, measure),
    }
    with replacing_folder(samples) as folder:
        model.rows.to_csv(folder / "rows.csv")
        shown = np.linspace(0, len(test.models) - 1, min(params.pictures, len(test.models))).round().astype(int)
        first_views = torch.tensor([test.names.index(test.models[i]) for i in shown])
        faces = checkpoint.model.template_faces
        draw = drawer(checkpoint.model, Renderer.hard(faces, checkpoint.model.camera, VIEW_SIZE))
        reconstructed, generated = to_shape[first_views], to_image[torch.from_numpy(shown)]
        write_pictures(folder / "reconstructions", draw, checkpoint.model, reconstructed, test.images[first_views])
        write_pictures(folder / "generations", draw, checkpoint.model, generated)
    write_json(metrics, result)
    return result


def _check_pair(checkpoint: Checkpoint, store: Store, data: Path) -> None:
    """A model is measured on its own category, at its own resolution."""
    category, size = store.info["category"], checkpoint.params.model.img_size
    if category != checkpoint.category:
        raise InputError(
            f"{data} holds {category!r}, the checkpoint is of {checkpoint.category!r}; choose a matching pair"
        )
    if store.images.shape[1] != size:
        raise InputError(
            f"{data} holds images of {store.images.shape[1]} pixels, the checkpoint is for {size};"
            " set preprocess.img_size to that or train again"
        )


def _comparable(
    checkpoint: Checkpoint, data: Path, store: Store, test: Split, measure: Measure
) -> dict[str, str | int | float | None]:
    """What two results must share to be compared."""
    params, close = measure.params, measure.close
    dense = close.truth[0]
    absent = missing_weights(params)
    return {
        "dataset": store.info.get("dataset", "unnamed"),
        "split": "test",
        "models": len(test.models),
        "images": len(test.images),
        "image_size": test.images.shape[-1],
        "surface_points": params.surface_points,
        "queries": params.queries,
        "close_points": len(dense.points),
        "close_queries": dense.queries,
        "close_views": len(close.views),
        "set_points": measure.set_points,
        "watertight_models": len(close.watertight),
        "frame": "canonical: box centred, longest side 1",
        "background": "black",
        "extractor": ", ".join(extractor.name for extractor in measure.extractors),
        "resize": ", ".join(extractor.resize for extractor in measure.extractors),
        "extractor_sha256": ", ".join(extractor.sha256 or "none" for extractor in measure.extractors),
        **({"absent": f"{', '.join(absent)}: no weights"} if absent else {}),
        "renderer": f"the model's own: {checkpoint.params.render}",
        "generated_from": "images: test clouds, random texture and pose; shapes: latent v ~ N(0, I)",
        "means_over": "views, then models",
        "intervals": "95 %, bootstrap over models",
        "symmetry": measure.symmetry,
        "seed": params.seed,
        "preset": checkpoint.params.preset,
        "steps": checkpoint.step,
        "code_version": checkpoint.code_version,
        "data_version": digest(data)[:12],
        **({"source": checkpoint.source} if checkpoint.source else {}),
    }
