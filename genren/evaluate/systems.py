"""The rows of every table: the model, its baselines and the floor, each measured in the same way."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genren.data.batches import to_uint8
from genren.evaluate import baselines
from genren.evaluate.close import CloseLook
from genren.evaluate.extractors import open_extractors, open_lpips
from genren.evaluate.measure import generation_scores, image_scores, set_scores, surface_scores, surfaces
from genren.evaluate.scores import Scores, System
from genren.evaluate.split import Split
from genren.metrics.pose import NEAR_DEGREES, SYMMETRY, hypotheses, pose_error
from genren.metrics.surface import Surface
from genren.models import gan
from genren.models.checkpoint import Checkpoint
from genren.models.model import GenerativeRenderer
from genren.models.parts import Draw
from genren.models.translate import (
    Translation,
    drawer,
    encode_clouds,
    image_to_shape,
    pose_hypotheses,
    shape_to_image,
    view_inconsistency,
)
from genren.params import EvaluateParams
from genren.render import Renderer

TO_SHAPE, FROM_SHAPE = "image_to_shape", "shape_to_shape"


class Measure:
    """The test split, and everything that models and baselines are measured with alike."""

    def __init__(self, checkpoint: Checkpoint, params: EvaluateParams, test: Split, training: Split) -> None:
        self.checkpoint, self.params, self.test, self.training = checkpoint, params, test, training
        self.extractors, self.lpips = open_extractors(params), open_lpips(params)
        self.real_features = [extractor(_rgb(test.images)) for extractor in self.extractors]
        self.close = CloseLook(test)
        self.truth = [test.surfaces[row] for row in test.owner]  # of each image
        self.symmetry = SYMMETRY.get(test.category, 1)
        self.set_points = min(params.set_points, test.points.shape[1])
        # The first points of a cloud: they are in random order.
        self.real_shapes = test.points[:, : self.set_points].astype(np.float64)

    def generator(self) -> torch.Generator:
        """Random samples that are the same for everyone who is measured."""
        return torch.Generator().manual_seed(self.params.seed)

    def model(self, model: GenerativeRenderer) -> tuple[System, Translation, Translation]:
        """A model with everything that it can do, and its translations of the test images and of the test clouds."""
        test, p, system = self.test, self.params, System()
        torch.manual_seed(p.seed)
        draw = drawer(model, self._renderer(model, test.images.shape[-1]))
        to_shape = image_to_shape(model, draw, test.images, p.batch_size)
        points, normals = (torch.from_numpy(a[:, : p.surface_points]) for a in (test.points, test.normals))
        encoded = encode_clouds(model, points, normals, p.batch_size)
        # As many generated renders as there are test images, the shapes in turn.
        turns = torch.arange(len(test.images)) % len(test.models)
        to_image = shape_to_image(model, draw, encoded[turns], p.batch_size)

        self._add(system, surface_scores(self._covered(model, to_shape.vertices), self.truth, test.names, TO_SHAPE))
        found = self._covered(model, encoded.vertices)
        self._add(system, surface_scores(found, test.surfaces, test.models, FROM_SHAPE))
        views = self.close.views
        vertices, faces = to_shape.vertices[views], model.template_faces
        self.close.image_to_shape(system, self._dense(vertices, faces), to_shape.rotation[views], (vertices, faces))

        self._add(system, image_scores(to_shape.render, test.images, test.names, self.lpips))
        self._poses(system, to_shape.rotation)
        self._hypotheses(system, model, draw)
        change = view_inconsistency(model, draw, test.images[views], p.batch_size)
        self._add(system, Scores({"view_consistency_l1": change}, self.close.names))

        self._images(system, to_image.render, turns)
        with torch.no_grad():
            shapes = model.decode(torch.randn(len(test.models), model.params.dim_v)).vertices
        samples = surfaces(shapes, faces, self.set_points, self.set_points, self.generator())
        system.set_values(set_scores(np.stack([sample.points for sample in samples]), self.real_shapes))
        return system, to_shape, to_image

    def baselines(self) -> dict[str, System]:
        """Answers without a network: two constants, and two training shapes."""
        template = self.checkpoint.model.template
        # The losses draw from torch's own stream, which models advance by more or less.
        torch.manual_seed(self.params.seed)
        points, normals = (
            torch.from_numpy(array[:, : self.params.surface_points])
            for array in (self.training.points, self.training.normals)
        )
        mean = baselines.mean_shape(template, points, normals, self.params.mean_shape_steps, self.generator())
        return {
            "template": self._constant(template.vertices),
            "mean_shape": self._constant(mean),
            "nearest_image": self._nearest_image(),
            "oracle": self._oracle(),
        }

    def image_gan(self, file: Path) -> System:
        """The image generator: images that no shape stands behind."""
        system = System()
        generator = gan.load(file, self.test.category, self.test.images.shape[-1])
        with torch.no_grad():
            noise = torch.randn(len(self.test.images), generator.noise, generator=self.generator())
            images = torch.cat([generator(batch) for batch in noise.split(self.params.batch_size)])
        self._images(system, images, None)
        return system

    def floor(self) -> System:
        """What the measurement itself costs: two samples of one surface, and training against test data."""
        test, training, system = self.test, self.training, self.close.floor()
        self._add(system, surface_scores(test.resampled, test.surfaces, test.models, "resampled"))
        order = torch.randperm(len(training.images), generator=self.generator())[: len(test.images)]
        self._images(system, training.images[order], training.owner[order])
        count = len(test.models)
        if len(training.models) >= count:
            shapes = torch.randperm(len(training.models), generator=self.generator())[:count].numpy()
            real = training.points[shapes, : self.set_points].astype(np.float64)
            system.set_values(set_scores(real, self.real_shapes))
        return system

    def _constant(self, vertices: Tensor) -> System:
        """One mesh as the answer to everything; as models have no say in it, views need not be told apart."""
        test, system = self.test, System()
        faces = self.checkpoint.model.template_faces
        covered = list(self._surfaces(vertices[None], faces)) * len(test.models)
        for way in (TO_SHAPE, FROM_SHAPE):
            self._add(system, surface_scores(covered, test.surfaces, test.models, way))
        count = len(self.close.views)
        dense = self._dense(vertices[None], faces) * count
        self.close.image_to_shape(system, dense, meshes=(vertices.expand(count, -1, -1), faces))
        return system

    def _nearest_image(self) -> System:
        """The shape and the pose of the training image that looks most like the test image."""
        test, training, system = self.test, self.training, System()
        chosen = baselines.nearest_images(test.images, training.images)
        rows = training.owner[chosen]
        predicted = [training.surfaces[row] for row in rows]
        self._add(system, surface_scores(predicted, self.truth, test.names, TO_SHAPE))
        views = self.close.views
        dense = [training.close(int(row)) for row in rows[views]]
        self.close.image_to_shape(system, dense, training.rotation[chosen[views]])
        self._poses(system, training.rotation[chosen])
        return system

    def _oracle(self) -> System:
        """The training shape that is nearest to the truth, whatever the image."""
        test, training, system = self.test, self.training, System()
        chosen = baselines.oracle_shapes(test.surfaces, training.surfaces)
        predicted = [training.surfaces[row] for row in chosen]
        for way in (TO_SHAPE, FROM_SHAPE):
            self._add(system, surface_scores(predicted, test.surfaces, test.models, way))
        self.close.image_to_shape(system, [training.close(chosen[row]) for row in self.close.owner])
        return system

    def _poses(self, system: System, rotation: Tensor) -> None:
        errors = pose_error(rotation, self.test.rotation, self.symmetry)
        values = {"pose_error_deg": errors, f"pose_accuracy_{NEAR_DEGREES:.0f}deg": (errors <= NEAR_DEGREES).double()}
        self._add(system, Scores(values, self.test.names))
        system.set_values({"pose_error_deg_median": float(errors.median())})

    def _hypotheses(self, system: System, model: GenerativeRenderer, draw: Draw) -> None:
        """What the model's several poses per image are worth."""
        rotations, probabilities = pose_hypotheses(model, draw, self.test.images, self.params.batch_size)
        true = self.test.rotation[:, None].expand_as(rotations)
        errors = pose_error(rotations, true, self.symmetry)
        self._add(system, Scores({"pose_error_deg_best_hypothesis": errors.amin(1)}, self.test.names))
        result = hypotheses(errors, probabilities)
        system.set_values({f"hypothesis_{name}": value for name, value in vars(result).items()})

    def _images(self, system: System, images: Tensor, owner: Tensor | None) -> None:
        """Feature distances of made images (N, 4, S, S), as the networks have them, to the test images."""
        for extractor, real in zip(self.extractors, self.real_features, strict=True):
            features = extractor(_rgb(images))
            system.set_values(generation_scores(extractor, real, features, self.test.owner, owner))

    def _covered(self, model: GenerativeRenderer, vertices: Tensor) -> list[Surface]:
        return list(self._surfaces(vertices, model.template_faces))

    def _surfaces(self, vertices: Tensor, faces: Tensor) -> list[Surface]:
        p = self.params
        return list(surfaces(vertices, faces, p.surface_points, p.queries, self.generator()))

    def _dense(self, vertices: Tensor, faces: Tensor) -> list[Surface]:
        dense = self.close.truth[0]
        return list(surfaces(vertices, faces, len(dense.points), dense.queries, self.generator()))

    def _renderer(self, model: GenerativeRenderer, size: int) -> Renderer:
        """A model's renderer at an image size, as the checkpoint's: what it was trained to draw is what is measured."""
        return Renderer(model.template_faces, model.camera, size, self.checkpoint.params.render)

    def _add(self, system: System, scores: Scores) -> None:
        system.add(scores, self.params.seed)


def _rgb(images: Tensor) -> Tensor:
    """uint8 RGB over black (N, 3, S, S) for extractors."""
    return torch.from_numpy(to_uint8(images)).permute(0, 3, 1, 2)
