"""What a model must beat: the mean shape is a good constant answer, the nearest image is the nearest."""

import pytest
import torch
from torch import Tensor

from genren.evaluate.baselines import mean_shape, nearest_images, oracle_shapes
from genren.geometry.sphere import Template, icosphere
from genren.geometry.surface import sample_surface
from genren.metrics.chamfer import chamfer_l1, surface_distances
from genren.metrics.surface import Surface

STEPS = 100  # enough for spheres that become ellipsoids


def ellipsoid(sides: tuple[float, float, float], count: int = 800) -> tuple[Tensor, Tensor]:
    """Points (1, count, 3) and outward normals of an ellipsoid with the given box."""
    direction = torch.nn.functional.normalize(torch.randn(1, count, 3), dim=-1)
    half = torch.tensor(sides) / 2
    return direction * half, torch.nn.functional.normalize(direction / half, dim=-1)


def distance(vertices: Tensor, template: Template, points: Tensor) -> float:
    """Mean Chamfer distance of one mesh (V, 3) to clouds (M, P, 3)."""
    generator = torch.Generator().manual_seed(0)
    samples, _ = sample_surface(vertices.expand(len(points), -1, -1), template.faces, points.shape[1], generator)
    return float(chamfer_l1(surface_distances(samples, points)).mean())


@pytest.fixture(scope="module")
def template() -> Template:
    """A sphere of 162 vertices that fills the unit box."""
    return icosphere(4, 0.5)


@pytest.fixture(scope="module")
def narrow(template: Template) -> tuple[Tensor, Tensor, Tensor]:
    """One ellipsoid's points and normals, and the mean shape of it alone."""
    points, normals = ellipsoid((0.3, 1.0, 0.5))
    return points, normals, mean_shape(template, points, normals, STEPS, torch.Generator().manual_seed(0))


def test_the_mean_of_one_cloud_is_that_cloud(template: Template, narrow: tuple[Tensor, Tensor, Tensor]):
    """Little but the sampling keeps the fit from its only target: it is nearly as near as the exact ellipsoid is."""
    points, _, mean = narrow
    exact = template.vertices * torch.tensor([0.3, 1.0, 0.5])

    assert distance(mean, template, points) < 2 * distance(exact, template, points)
    assert distance(mean, template, points) < 0.2 * distance(template.vertices, template, points)


def test_the_mean_shape_serves_all_clouds(template: Template, narrow: tuple[Tensor, Tensor, Tensor]):
    """It answers many shapes far better than the raw template does, and better than the mean of one of them."""
    wider = [ellipsoid((width, 1.0, 0.5)) for width in (0.5, 0.6, 0.7)]
    points, normals = (torch.cat(parts) for parts in zip(narrow[:2], *wider, strict=True))

    mean = mean_shape(template, points, normals, STEPS, torch.Generator().manual_seed(0))

    assert distance(mean, template, points) < 0.4 * distance(template.vertices, template, points)
    assert distance(mean, template, points) < 0.9 * distance(narrow[2], template, points)


def test_the_nearest_image_of_an_image_is_itself():
    """Each of more images than one chunk holds is found again among others, in any order."""
    training = torch.rand(150, 4, 8, 8)
    order = torch.randperm(150)[:100]

    assert torch.equal(nearest_images(training[order], training), order)


def test_the_nearest_image_is_the_one_of_least_squared_difference():
    """Equal to the distances written out, silhouette and colours alike, also where brightness differs most."""
    images, training = torch.rand(5, 4, 6, 6), torch.rand(20, 4, 6, 6) * torch.rand(20, 1, 1, 1) * 3

    squared = (images[:, None] - training[None]).square().sum((2, 3, 4))
    likest = (images[:, None] * training[None]).sum((2, 3, 4)).argmax(1)  # the brightest, not the nearest

    assert torch.equal(nearest_images(images, training), squared.argmin(1))
    assert not torch.equal(likest, squared.argmin(1))


def test_the_oracle_finds_the_nearest_shape_whatever_its_order():
    """Held against the truth itself, not against an image: each ellipsoid finds the training one of its own width."""
    widths = (0.3, 0.5, 0.7, 0.9)

    def surface(width: float) -> Surface:
        points, normals = ellipsoid((width, 1.0, 0.5))
        return Surface(points[0].double().numpy(), normals[0].double().numpy(), 800)

    truth, training = [surface(width) for width in widths], [surface(width) for width in reversed(widths)]

    assert oracle_shapes(truth, training) == [3, 2, 1, 0]
