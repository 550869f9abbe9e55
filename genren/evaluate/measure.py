"""Predictions against the test split: dictionaries of metrics by name, and rows per model."""

from dataclasses import dataclass

import pandas as pd
import torch
from torch import Tensor

from genren.geometry.surface import sample_surface
from genren.metrics.chamfer import chamfer_l1, chamfer_l2, surface_distances
from genren.metrics.extractor import FeatureExtractor
from genren.metrics.features import metric_key
from genren.metrics.frechet import frechet_distance, gaussian
from genren.metrics.fscore import THRESHOLDS, fscore
from genren.metrics.kid import kernel_distance
from genren.metrics.silhouette import psnr, rerender_l1, silhouette_iou
from genren.models.translate import Translation

CHUNK = 64  # surfaces compared at once


@dataclass(frozen=True)
class Scores:
    """One value per prediction under each metric's name."""

    values: dict[str, Tensor]  # each (N,)

    def means(self, suffix: str) -> dict[str, float]:
        """Mean of every metric, its name followed by the direction of translation."""
        return {f"{name}/{suffix}": float(value.double().mean()) for name, value in self.values.items()}

    def rows(self, models: list[str], suffix: str) -> pd.DataFrame:
        """Mean per model, one row each, in the order of first appearance."""
        table = pd.DataFrame({f"{name}/{suffix}": value.double().numpy() for name, value in self.values.items()})
        return table.groupby(pd.Series(models, name="model"), sort=False).mean()


def surface_scores(predicted: Tensor, target: Tensor) -> Scores:
    """Chamfer distances and F-scores of surface samples (N, P, 3) against clouds (N, T, 3), canonical frame."""
    parts: list[dict[str, Tensor]] = []
    for p, t in zip(predicted.split(CHUNK), target.split(CHUNK), strict=True):
        distances = surface_distances(p, t)
        part = {"chamfer_l1": chamfer_l1(distances), "chamfer_l2_x1000": 1000 * chamfer_l2(distances)}
        parts.append(part | {name: fscore(distances, limit).fscore for name, limit in THRESHOLDS.items()})
    return Scores({name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def mesh_scores(vertices: Tensor, faces: Tensor, clouds: Tensor, owner: Tensor, generator: torch.Generator) -> Scores:
    """Scores of meshes (N, V, 3) against the clouds (M, P, 3) that `owner` (N,) names, from as many surface samples."""
    parts = []
    for part, rows in zip(vertices.split(CHUNK), owner.split(CHUNK), strict=True):
        samples, _ = sample_surface(part, faces, clouds.shape[1], generator)
        parts.append(surface_scores(samples, clouds[rows]).values)
    return Scores({name: torch.cat([part[name] for part in parts]) for name in parts[0]})


def image_scores(result: Translation, images: Tensor) -> Scores:
    """Silhouette overlap and re-render error against the inputs (N, 4, S, S)."""
    predicted, target = _unit(result.render), _unit(images)
    return Scores(
        {
            "silhouette_iou": silhouette_iou(predicted[:, 3], target[:, 3]),
            "rerender_l1": rerender_l1(predicted, target),
            "psnr": psnr(predicted, target),
        }
    )


def generation_scores(extractor: FeatureExtractor, real: Tensor, fake: Tensor) -> dict[str, float]:
    """Fréchet and kernel distance between feature sets (N, D) of real images and generated renders."""
    kernel = kernel_distance(real, fake)
    fd, kd = (metric_key(name, extractor.name, len(fake)) for name in ("fd", "kd"))
    return {fd: frechet_distance(gaussian(real), gaussian(fake)), kd: kernel.value, f"{kd}_se": kernel.standard_error}


def _unit(images: Tensor) -> Tensor:
    """RGB from [-1, 1] to [0, 1]; alpha is there already."""
    return torch.cat([(images[:, :3] + 1) / 2, images[:, 3:]], dim=1).clamp(0, 1)
