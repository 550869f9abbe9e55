"""One category's model measured on its test split, beside its baselines and the floor of the measurement."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from genren.data.batches import to_tensor, to_uint8
from genren.data.store import Store
from genren.errors import InputError
from genren.evaluate import baselines
from genren.evaluate.measure import generation_scores, image_scores, mesh_scores, surface_scores
from genren.evaluate.pictures import write_pictures
from genren.files import digest, replacing_folder, write_json
from genren.metrics.extractor import RandomConvExtractor
from genren.models.checkpoint import Checkpoint
from genren.models.model import GenerativeRenderer
from genren.models.translate import Translation, drawer, encode_clouds, image_to_shape, shape_to_image
from genren.params import EvaluateParams
from genren.render import Renderer

VIEW_SIZE = 128  # pixels of a view in the report's pictures


@dataclass(frozen=True)
class _Split:
    """One split as tensors."""

    images: Tensor  # (N, 4, S, S)
    owner: Tensor  # (N,) row of each image's model in `points`
    names: list[str]  # model of each image
    models: list[str]
    points: Tensor  # (M, P, 3)
    resampled: Tensor  # (M, P, 3) as many other samples of the same surfaces
    normals: Tensor  # (M, P, 3) of `points`


def evaluate(
    checkpoint: Checkpoint, data: Path, params: EvaluateParams, metrics: Path, samples: Path
) -> dict[str, Any]:
    """Measure a checkpoint on the test split of the store in `data`; write `metrics` (JSON) and the folder `samples`.

    Returns what the JSON holds: metrics, baselines, floor, and everything that makes the numbers comparable.
    """
    store = Store.open(data)
    category = store.info["category"]
    if category != checkpoint.category:
        raise InputError(
            f"{data} holds {category!r}, the checkpoint is of {checkpoint.category!r}; choose a matching pair"
        )
    if store.images.shape[1] != checkpoint.params.model.img_size:
        raise InputError(
            f"{data} holds images of {store.images.shape[1]} pixels, the checkpoint is for"
            f" {checkpoint.params.model.img_size}; set preprocess.img_size to that or train again"
        )
    test, training = _split(store, "test", params.surface_points), _split(store, "train", params.surface_points)
    measure = _Measure(checkpoint, params, test, RandomConvExtractor())

    scores, to_shape, to_image, rows = measure.model(checkpoint.model)
    torch.manual_seed(checkpoint.seed)
    untrained, _, _, _ = measure.model(GenerativeRenderer(checkpoint.params.model).eval())
    result = {
        "category": category,
        "seed": checkpoint.seed,
        "metrics": scores,
        "baselines": {"untrained": untrained} | measure.constant_baselines(training),
        "floor": measure.floor(training),
        "comparable": {
            "split": "test",
            "models": len(test.models),
            "images": len(test.images),
            "image_size": test.images.shape[-1],
            "surface_points": test.points.shape[1],
            "frame": "canonical: box centred, longest side 1",
            "background": "black",
            "extractor": measure.extractor.name,
            "renderer": f"the model's own: {checkpoint.params.render}",
            "generated_from": "test clouds, random texture and pose",
            "means_over": "views, then models; equal, as models have equally many views",
            "seed": params.seed,
            "preset": checkpoint.params.preset,
            "steps": checkpoint.step,
            "code_version": checkpoint.code_version,
            "data_version": digest(data)[:12],
        }
        | ({"source": checkpoint.source} if checkpoint.source else {}),
    }
    with replacing_folder(samples) as folder:
        rows.to_csv(folder / "rows.csv")
        shown = np.linspace(0, len(test.models) - 1, min(params.pictures, len(test.models))).round().astype(int)
        first_views = torch.tensor([test.names.index(test.models[i]) for i in shown])
        faces = checkpoint.model.template_faces
        draw = drawer(checkpoint.model, Renderer.hard(faces, checkpoint.model.camera, VIEW_SIZE))
        reconstructed, generated = to_shape[first_views], to_image[torch.from_numpy(shown)]
        write_pictures(folder / "reconstructions", draw, faces, reconstructed, test.images[first_views])
        write_pictures(folder / "generations", draw, faces, generated)
    write_json(metrics, result)
    return result


class _Measure:
    """The test split, and everything that models and baselines are measured with alike."""

    def __init__(
        self, checkpoint: Checkpoint, params: EvaluateParams, test: _Split, extractor: RandomConvExtractor
    ) -> None:
        self.checkpoint, self.params, self.test, self.extractor = checkpoint, params, test, extractor
        self.real_features = extractor(_rgb(test.images))
        self.every = torch.arange(len(test.points))

    def renderer(self, model: GenerativeRenderer, size: int) -> Renderer:
        """A model's renderer at an image size, as the checkpoint's: what it was trained to draw is what is measured."""
        return Renderer(model.template_faces, model.camera, size, self.checkpoint.params.render)

    def generator(self) -> torch.Generator:
        """Random samples that are the same for everyone who is measured."""
        return torch.Generator().manual_seed(self.params.seed)

    def model(self, model: GenerativeRenderer) -> tuple[dict[str, float], Translation, Translation, pd.DataFrame]:
        """Metrics of a model, its translations of the test images and of the test clouds, and rows per model."""
        test, batch = self.test, self.params.batch_size
        torch.manual_seed(self.params.seed)
        draw = drawer(model, self.renderer(model, test.images.shape[-1]))
        to_shape = image_to_shape(model, draw, test.images, batch)
        encoded = encode_clouds(model, test.points, test.normals, batch)
        # As many generated renders as there are test images, the shapes in turn.
        turns = torch.arange(len(test.images)) % len(test.points)
        to_image = shape_to_image(model, draw, encoded[turns], batch)

        from_image = mesh_scores(to_shape.vertices, model.template_faces, test.points, test.owner, self.generator())
        from_shape = mesh_scores(encoded.vertices, model.template_faces, test.points, self.every, self.generator())
        rendered = image_scores(to_shape, test.images)
        scores = from_image.means("image_to_shape") | from_shape.means("shape_to_shape")
        scores |= {name: float(value.double().mean()) for name, value in rendered.values.items()}
        scores |= generation_scores(self.extractor, self.real_features, self.extractor(_rgb(to_image.render)))
        rows = from_image.rows(test.names, "image_to_shape").join(from_shape.rows(test.models, "shape_to_shape"))
        rows = rows.join(rendered.rows(test.names, "rerender"))
        return scores, to_shape, to_image, rows

    def constant_baselines(self, training: _Split) -> dict[str, dict[str, float]]:
        """The category's mean shape, and the shape of the training image nearest to each test image."""
        template, test = self.checkpoint.model.template, self.test
        # The losses draw from torch's own stream, which models advance by more or less.
        torch.manual_seed(self.params.seed)
        mean = baselines.mean_shape(
            template, training.points, training.normals, self.params.mean_shape_steps, self.generator()
        )
        same = mean.expand(len(test.points), -1, -1)
        by_mean = mesh_scores(same, template.faces, test.points, self.every, self.generator())
        chosen = training.owner[baselines.nearest_images(test.images, training.images)]
        by_image = surface_scores(training.points[chosen], test.points[test.owner])
        return {
            # Every model has as many views, so the mean over images is the mean over models.
            "mean_shape": by_mean.means("image_to_shape") | by_mean.means("shape_to_shape"),
            "nearest_image": by_image.means("image_to_shape"),
        }

    def floor(self, training: _Split) -> dict[str, float]:
        """What the measurement itself costs: two samples of one surface, and training against test images."""
        resampled = surface_scores(self.test.resampled, self.test.points)
        order = torch.randperm(len(training.images), generator=self.generator())[: len(self.test.images)]
        features = self.extractor(_rgb(training.images[order]))
        return resampled.means("resampled") | generation_scores(self.extractor, self.real_features, features)


def _split(store: Store, name: str, points: int) -> _Split:
    views, clouds = store.images_of(name), store.clouds_of(name)
    if 2 * points > store.points.shape[1]:
        raise InputError(
            f"evaluate.surface_points is {points}, the store has {store.points.shape[1]} per cloud,"
            " expected twice as many for the floor; lower it or raise preprocess.points"
        )
    models = store.models["model"].iloc[clouds].tolist()
    names = store.views["model"].iloc[views].tolist()
    row = {model: i for i, model in enumerate(models)}
    return _Split(
        to_tensor(torch.from_numpy(np.ascontiguousarray(store.images[views]))),
        torch.tensor([row[model] for model in names]),
        names,
        models,
        torch.from_numpy(np.ascontiguousarray(store.points[clouds, :points])),
        torch.from_numpy(np.ascontiguousarray(store.points[clouds, points : 2 * points])),
        torch.from_numpy(np.ascontiguousarray(store.normals[clouds, :points])),
    )


def _rgb(images: Tensor) -> Tensor:
    """uint8 RGB over black (N, 3, S, S) for extractors."""
    return torch.from_numpy(to_uint8(images)).permute(0, 3, 1, 2)
