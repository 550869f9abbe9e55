"""Predictions against the truth: numbers that know better from worse, by name and by model."""

import pytest
import torch
from torch import Tensor

from genren.evaluate.measure import CHUNK, Scores, generation_scores, image_scores, mesh_scores, surface_scores
from genren.geometry.sphere import Template, icosphere
from genren.geometry.surface import sample_surface
from genren.metrics.extractor import RandomConvExtractor
from genren.models.translate import Translation


@pytest.fixture(scope="module")
def template() -> Template:
    """A sphere with the longest side 1."""
    return icosphere(4, 0.5)


def samples(template: Template, count: int, seed: int) -> Tensor:
    """Surface points (1, count, 3)."""
    return sample_surface(template.vertices[None], template.faces, count, torch.Generator().manual_seed(seed))[0]


def generator() -> torch.Generator:
    """The random state of every measurement here."""
    return torch.Generator().manual_seed(0)


def test_a_mesh_against_its_own_samples_is_at_the_floor(template: Template):
    """The right mesh scores what two samples of it do, and a larger one scores worse under every name."""
    cloud = samples(template, 2000, 1)
    floor = surface_scores(samples(template, 2000, 2), cloud).values

    right = mesh_scores(template.vertices[None], template.faces, cloud, torch.tensor([0]), generator()).values
    larger = mesh_scores(1.1 * template.vertices[None], template.faces, cloud, torch.tensor([0]), generator()).values

    assert list(right) == ["chamfer_l1", "chamfer_l2_x1000", "fscore_1e-4", "fscore_2e-4", "fscore_4e-4"]
    for name, value in right.items():
        assert float(value) == pytest.approx(float(floor[name]), rel=0.1)
        worse = larger[name] < value if name.startswith("fscore") else larger[name] > value
        assert bool(worse), name
    # A sphere of radius 0.5 grown by 10 % is 0.05 away everywhere, up to how densely it is sampled.
    assert float(larger["chamfer_l1"]) == pytest.approx(0.05, rel=0.15)


def test_a_prediction_is_held_against_its_own_cloud(template: Template):
    """The owner decides: of two predictions, each right for one of two clouds, both are right, then both are wrong."""
    clouds = torch.cat([samples(template, 500, 1), 0.6 * samples(template, 500, 2)])
    meshes = torch.stack([0.6 * template.vertices, template.vertices])

    right = mesh_scores(meshes, template.faces, clouds, torch.tensor([1, 0]), generator()).values["chamfer_l1"]
    wrong = mesh_scores(meshes, template.faces, clouds, torch.tensor([0, 1]), generator()).values["chamfer_l1"]

    assert bool((wrong > 4 * right).all())


def test_more_predictions_than_one_chunk_are_all_scored(template: Template):
    """Each prediction keeps its place over the chunks' border."""
    count = CHUNK + 3
    scale = torch.linspace(1, 2, count)[:, None, None]
    cloud = samples(template, 200, 1)

    scores = mesh_scores(template.vertices * scale, template.faces, cloud, torch.zeros(count).long(), generator())

    values = scores.values["chamfer_l2_x1000"]
    assert values.shape == (count,)
    assert torch.equal(values[3:].argsort(), torch.arange(count - 3))


def test_means_and_rows_say_the_same():
    """A row is a model's mean over its views, in the order of first appearance; names carry the direction."""
    scores = Scores({"chamfer_l1": torch.tensor([1.0, 2.0, 3.0, 6.0])})

    rows = scores.rows(["b", "a", "b", "a"], "image_to_shape")

    assert scores.means("image_to_shape") == {"chamfer_l1/image_to_shape": 3.0}
    assert rows.index.tolist() == ["b", "a"]
    assert rows["chamfer_l1/image_to_shape"].tolist() == [2.0, 4.0]


def test_images_are_compared_in_the_unit_range():
    """A perfect re-render is perfect; a white one of a black image is wrong by exactly 1 in its colours."""
    images = torch.full((2, 4, 8, 8), -1.0)
    images[:, 3] = 1.0
    render = images.clone()
    render[1, :3] = 1.0
    nothing = torch.zeros(2)

    scores = image_scores(Translation(nothing, nothing, nothing, nothing, render, nothing), images).values

    assert scores["silhouette_iou"].tolist() == [1, 1]
    assert scores["rerender_l1"].tolist() == [0, 0.75]
    assert scores["psnr"][1].item() == pytest.approx(0)
    assert scores["psnr"][0] > 90


def test_generated_images_are_named_by_extractor_and_count():
    """Keys carry what a feature distance depends on; equal sets are at 0, other colours far from it."""
    extractor = RandomConvExtractor()
    images = torch.randint(0, 128, (6, 3, 16, 16), dtype=torch.uint8)
    real = extractor(images)

    same = generation_scores(extractor, real, real)
    other = generation_scores(extractor, real, extractor(images + 100))

    fd, kd, error = "fd_randconv448_seed0_n6", "kd_randconv448_seed0_n6", "kd_randconv448_seed0_n6_se"
    assert list(same) == [fd, kd, error]
    assert same[fd] == pytest.approx(0, abs=1e-4 * other[fd])
    assert other[kd] - other[error] > same[kd] + same[error]
