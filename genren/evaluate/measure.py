"""Predictions against the truth of a split: values under each metric's name."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from torch import Tensor

from genren.evaluate.scores import Scores
from genren.geometry.surface import face_normals, sample_surface
from genren.metrics.chamfer import SurfaceDistances
from genren.metrics.extractor import FeatureExtractor
from genren.metrics.features import metric_key
from genren.metrics.frechet import frechet_distance, gaussian
from genren.metrics.kid import kernel_distance
from genren.metrics.lpips import Lpips
from genren.metrics.prdc import prdc
from genren.metrics.protocols import PROTOCOLS
from genren.metrics.shape_sets import shape_sets
from genren.metrics.silhouette import psnr, rerender_l1, silhouette_iou
from genren.metrics.ssim import ssim
from genren.metrics.surface import Surface, compare

CHUNK = 64  # surfaces sampled at once
NEIGHBOURS = 5  # k of precision, recall, density and coverage


def surfaces(
    vertices: Tensor, faces: Tensor, points: int, queries: int, generator: torch.Generator
) -> Iterator[Surface]:
    """Samples of each of the meshes (N, V, 3); one that is not finite comes out with points that are not."""
    for part in vertices.split(max(1, CHUNK * 5000 // points)):
        sound = part.isfinite().all(2).all(1)
        # Broken meshes are sampled as if they were points, and marked afterwards: the others keep their samples.
        usable = torch.where(sound[:, None, None], part, 0)
        samples, chosen = sample_surface(usable, faces, points, generator)
        normals = torch.take_along_dim(face_normals(usable, faces)[0], chosen[..., None], dim=1)
        samples[~sound] = torch.nan
        for p, n in zip(samples.double().numpy(), normals.double().numpy(), strict=True):
            yield Surface(p, n, queries)


def surface_scores(predicted: Sequence[Surface], target: Sequence[Surface], models: list[str], suffix: str) -> Scores:
    """The protocol `genren`: canonical frame, unit the longest side; names end in the direction of translation."""
    return protocol_scores("genren", compare(predicted, target), torch.ones(len(target)), models, suffix)


def protocol_scores(
    protocol: str, distances: SurfaceDistances, longest_side: Tensor, models: list[str], suffix: str
) -> Scores:
    """Metrics of a protocol from distances in the canonical unit, names followed by the suffix."""
    values = PROTOCOLS[protocol].scores(distances, longest_side.double())
    return Scores({f"{name}/{suffix}": value for name, value in values.items()}, models)


def image_scores(render: Tensor, images: Tensor, models: list[str], lpips: Lpips | None = None) -> Scores:
    """Silhouette overlap and re-render error against the inputs (N, 4, S, S), both as the networks have them."""
    predicted, target = _unit(render), _unit(images)
    values = {
        "silhouette_iou": silhouette_iou(predicted[:, 3], target[:, 3]),
        "rerender_l1": rerender_l1(predicted, target),
        "psnr": psnr(predicted, target),
        "ssim": ssim(predicted, target),
    }
    if lpips is not None:
        values[lpips.name] = lpips(predicted, target)
    return Scores(values, models)


def generation_scores(
    extractor: FeatureExtractor,
    real: Tensor,
    fake: Tensor,
    real_models: Tensor | None = None,
    fake_models: Tensor | None = None,
) -> dict[str, float]:
    """Fréchet and kernel distance and PRDC between features (N, D) of real images and of as many made ones.

    The models (N,) behind the images, where they have any, make the kernel distance's standard error honest.
    """
    kernel = kernel_distance(real, fake, real_models, fake_models)
    fd, kd = (metric_key(name, extractor.name, len(fake)) for name in extractor.distances)
    values = {fd: frechet_distance(gaussian(real), gaussian(fake)), kd: kernel.value, f"{kd}_se": kernel.standard_error}
    if min(len(real), len(fake)) > NEIGHBOURS:
        shares = prdc(real, fake, NEIGHBOURS)
        for name in ("precision", "recall", "density", "coverage"):
            values[metric_key(f"{name}_k{NEIGHBOURS}", extractor.name, len(fake))] = getattr(shares, name)
    return values


def set_scores(generated: np.ndarray, real: np.ndarray) -> dict[str, float]:
    """MMD, COV, 1-NNA and JSD between shapes (N, P, 3); NaN under every name if a generated one is not finite."""
    end = f"n{len(real)}"
    names = {
        "mmd": f"mmd_cd_x1000_{end}",
        "coverage": f"cov_cd_{end}",
        "one_nna": f"1nna_cd_{end}",
        "jsd": f"jsd_28_{end}",
    }
    if not np.isfinite(generated).all():
        return dict.fromkeys(names.values(), float("nan"))
    result = shape_sets(generated, real)
    return {key: getattr(result, name) * (1000 if name == "mmd" else 1) for name, key in names.items()}


def _unit(images: Tensor) -> Tensor:
    """RGB from [-1, 1] to [0, 1]; alpha is there already. What is not a number stays so, and is refused."""
    return torch.cat([(images[:, :3] + 1) / 2, images[:, 3:]], dim=1).clamp(0, 1)
