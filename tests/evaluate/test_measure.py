"""Predictions against the truth: numbers that know better from worse, by name and by model."""

import numpy as np
import pytest
import torch
from torch import Tensor

from genren.evaluate.measure import CHUNK, generation_scores, image_scores, set_scores, surface_scores, surfaces
from genren.evaluate.scores import Scores, System
from genren.geometry.sphere import Template, icosphere
from genren.metrics.extractor import RandomConvExtractor
from genren.metrics.surface import Surface

QUERIES = 500


@pytest.fixture(scope="module")
def template() -> Template:
    """A sphere with the longest side 1."""
    return icosphere(4, 0.5)


def sampled(template: Template, vertices: Tensor, count: int, seed: int) -> list[Surface]:
    """Surfaces of meshes (N, V, 3) with the template's faces."""
    generator = torch.Generator().manual_seed(seed)
    return list(surfaces(vertices, template.faces, count, min(count, QUERIES), generator))


def scores(predicted: list[Surface], target: list[Surface]) -> dict[str, Tensor]:
    """Values by metric, without the direction."""
    names = [str(i) for i in range(len(target))]
    values = surface_scores(predicted, target, names, "way").values
    return {name.removesuffix("/way"): value for name, value in values.items()}


def test_a_mesh_against_its_own_samples_is_at_the_floor(template: Template):
    """The right mesh scores what two samples of it do, and a larger one scores worse under every name."""
    truth = sampled(template, template.vertices[None], 2000, 1)
    floor = scores(sampled(template, template.vertices[None], 2000, 2), truth)

    right = scores(sampled(template, template.vertices[None], 2000, 3), truth)
    larger = scores(sampled(template, 1.1 * template.vertices[None], 2000, 3), truth)

    assert {"chamfer_l1", "chamfer_l1_x10", "chamfer_l2", "chamfer_l2_x1000", "fscore_1e-4"} < right.keys()
    for name, value in right.items():
        assert float(value) == pytest.approx(float(floor[name]), rel=0.15)
        if name != "normal_consistency":
            worse = larger[name] > value if name.startswith("chamfer") else larger[name] < value
            assert bool(worse), name
    # A sphere of radius 0.5 grown by 10 % is 0.05 away everywhere, up to how densely it is sampled.
    assert float(larger["chamfer_l1"]) == pytest.approx(0.05, rel=0.15)
    assert float(larger["chamfer_l1_x10"]) == pytest.approx(10 * float(larger["chamfer_l1"]))
    assert float(larger["chamfer_l2_x1000"]) == pytest.approx(1000 * float(larger["chamfer_l2"]))


def test_a_prediction_is_held_against_its_own_truth(template: Template):
    """The pairing decides: of two predictions, each right for one of two shapes, both are right, then both wrong."""
    shapes = torch.stack([template.vertices, 0.6 * template.vertices])
    truth, predicted = sampled(template, shapes, 500, 1), sampled(template, shapes.flip(0), 500, 2)

    right = scores(predicted, truth[::-1])["chamfer_l1"]
    wrong = scores(predicted, truth)["chamfer_l1"]

    assert bool((wrong > 4 * right).all())


def test_more_predictions_than_one_chunk_are_all_scored(template: Template):
    """Each prediction keeps its place over the chunks' border."""
    count = CHUNK + 3
    scale = torch.linspace(1, 2, count)[:, None, None]
    truth = sampled(template, template.vertices[None], 200, 1) * count

    generator = torch.Generator().manual_seed(0)
    predicted = list(surfaces(template.vertices * scale, template.faces, 5000, 200, generator))
    values = scores(predicted, truth)["chamfer_l2_x1000"]

    assert values.shape == (count,)
    assert torch.equal(values[3:].argsort(), torch.arange(count - 3))


def test_a_diverged_prediction_is_a_row_of_nan_that_is_named(template: Template):
    """The others keep their numbers, the mean has none, and the model is on the list: nothing looks fine."""
    shapes = template.vertices.repeat(3, 1, 1)
    truth = sampled(template, shapes, 300, 1)
    broken = shapes.clone()
    broken[1, 5, 2] = torch.inf
    sound = surface_scores(sampled(template, shapes, 300, 2), truth, ["a", "b", "c"], "way")
    one_bad = surface_scores(sampled(template, broken, 300, 2), truth, ["a", "b", "c"], "way")
    system = System()
    system.add(one_bad, 0)

    for name, value in one_bad.values.items():
        assert value.isnan().tolist() == [False, True, False], name
        assert value[0] == sound.values[name][0]
        assert np.isnan(system.metrics[name])
        assert system.intervals[name] is None
    assert system.failed == ["b"]


def test_rows_are_means_over_views_and_means_are_over_models():
    """Three views of one model weigh as much as one of another; the mean over views is another number, beside it."""
    system = System()
    system.add(Scores({"psnr": torch.tensor([1.0, 2.0, 3.0, 8.0])}, ["b", "b", "b", "a"]), 0)

    assert system.rows.index.tolist() == ["b", "a"]
    assert system.rows["psnr"].tolist() == [2.0, 8.0]
    assert system.metrics["psnr"] == 5.0
    assert system.over_views["psnr"] == 3.5
    low, high = system.intervals["psnr"] or (0, 0)
    assert (low, high) == (2.0, 8.0)


def test_images_are_compared_in_the_unit_range():
    """A perfect re-render is perfect; a white one of a black image is wrong by exactly 1 in its colours."""
    images = torch.full((2, 4, 16, 16), -1.0)
    images[:, 3] = 1.0
    render = images.clone()
    render[1, :3] = 1.0

    values = image_scores(render, images, ["a", "b"]).values

    assert values["silhouette_iou"].tolist() == [1, 1]
    assert values["rerender_l1"].tolist() == [0, 0.75]
    assert values["psnr"][1].item() == pytest.approx(0)
    assert values["psnr"][0] > 90
    assert values["ssim"].tolist() == pytest.approx([1, 0], abs=1e-3)


def test_generated_images_are_named_by_extractor_and_count():
    """Keys carry what a feature distance depends on; equal sets are at 0, other colours far from it."""
    extractor = RandomConvExtractor()
    images = torch.randint(0, 128, (8, 3, 16, 16), dtype=torch.uint8)
    real = extractor(images)

    same = generation_scores(extractor, real, real)
    other = generation_scores(extractor, real, extractor(images + 100))

    end = "randconv448_seed0_n8"
    fd, kd, error = f"fd_{end}", f"kd_{end}", f"kd_{end}_se"
    assert list(same) == [fd, kd, error, *(f"{p}_k5_{end}" for p in ("precision", "recall", "density", "coverage"))]
    assert same[fd] == pytest.approx(0, abs=1e-4 * other[fd])
    assert other[kd] - other[error] > same[kd] + same[error]
    assert (same[f"recall_k5_{end}"], other[f"recall_k5_{end}"]) == (1.0, 0.0)


def test_a_diverged_shape_leaves_the_set_without_numbers():
    """One generated shape that is not finite takes the whole set's numbers away, under the same names."""
    real = np.random.default_rng(0).random((4, 50, 3)) - 0.5
    broken = real.copy()
    broken[2, 7] = np.nan

    assert list(set_scores(broken, real)) == list(set_scores(real, real))
    assert all(np.isnan(value) for value in set_scores(broken, real).values())
