"""What a model must beat: constants that ignore the image, and training shapes chosen by image or by an oracle."""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from genren.geometry.sphere import Template
from genren.losses.shape import chamfer_and_normals, mesh_smoothness
from genren.metrics.chamfer import chamfer_l1
from genren.metrics.surface import Surface, compare

# Samples of each side that ask, when the oracle looks through all training shapes.
ORACLE_QUERIES = 400


def mean_shape(template: Template, points: Tensor, normals: Tensor, steps: int, generator: torch.Generator) -> Tensor:
    """The one mesh (V, 3) that is nearest to all training clouds (N, P, 3): the best answer that ignores the input.

    The template is fitted by the autoencoder's own loss, Chamfer, normals and smoothness, to random batches of clouds.
    """
    offset = torch.zeros_like(template.vertices, requires_grad=True)
    optimizer = torch.optim.Adam([offset], 5e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        rows = torch.randint(len(points), (16, 1), generator=generator)
        subset = torch.randint(points.shape[1], (16, 512), generator=generator)
        vertices = (template.vertices + offset).expand(16, -1, -1)
        chamfer, normal = chamfer_and_normals(
            vertices, template.faces, points[rows, subset], normals[rows, subset], 512
        )
        loss = 2000 * chamfer + 5 * normal + 0.05 * mesh_smoothness(vertices[:1], template)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    return (template.vertices + offset).detach()


def nearest_images(images: Tensor, training: Tensor) -> Tensor:
    """Index (N,) of the training image of least squared pixel difference, for RGBA images (N, 4, S, S)."""
    flat = training.flatten(1)
    squares = flat.square().sum(1)
    # |a - b|^2 without |a|^2, which is the same for all candidates.
    return torch.cat([(squares - 2 * part.flatten(1) @ flat.T).argmin(1) for part in images.split(64)])


def oracle_shapes(truth: list[Surface], training: list[Surface]) -> list[int]:
    """For each true shape the training shape of least Chamfer-L1: what a perfect retrieval would answer.

    Tatarchenko et al. 2019: single-view networks hardly beat it, so a table without it flatters them.
    """
    few = [_asking(surface, min(ORACLE_QUERIES, surface.queries)) for surface in training]
    chosen = []
    for surface in truth:
        target = _asking(surface, min(ORACLE_QUERIES, surface.queries))
        chosen.append(int(np.argmin(chamfer_l1(compare(few, [target] * len(few))).numpy())))
    return chosen


def _asking(surface: Surface, queries: int) -> Surface:
    """The surface with fewer queries, but all of its samples and the same tree."""
    other = replace(surface, queries=queries)
    other.__dict__["tree"] = surface.tree
    return other
