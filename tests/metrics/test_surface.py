"""Dense surfaces with few queries: the same numbers as all pairs, whatever moved, and NaN for what is broken."""

import numpy as np
import pytest
import torch
from scipy.spatial import cKDTree

from genren.errors import InputError
from genren.metrics.chamfer import chamfer_l1, normal_consistency, surface_distances
from genren.metrics.fscore import fscore
from genren.metrics.icp import _about_y
from genren.metrics.surface import Motion, Surface, compare


def sphere(count: int, seed: int, radius: float = 0.5, queries: int | None = None) -> Surface:
    """Samples of a sphere with their normals."""
    normals = np.random.default_rng(seed).standard_normal((count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    return Surface(radius * normals, normals, queries or count)


def test_equals_scipy_and_the_batched_search() -> None:
    """With as many queries as samples the distances are those of a plain cKDTree and of the losses' own search."""
    predicted, target = sphere(300, 0, 0.4), sphere(400, 1)
    distances = compare([predicted], [target])
    batched = surface_distances(torch.tensor(predicted.points)[None], torch.tensor(target.points)[None])

    assert np.allclose(cKDTree(target.points).query(predicted.points)[0], distances.accuracy[0])
    assert torch.allclose(batched.completeness, distances.completeness)


def test_few_queries_of_a_dense_surface_read_like_all_of_them() -> None:
    """F at 1 % and Chamfer of 1,000 queries on 20,000 samples are those of all 20,000, not those of 1,000 samples."""
    dense, other = sphere(20000, 0), sphere(20000, 1)
    everything = compare([dense], [other])
    few = compare([sphere(20000, 0, queries=1000)], [sphere(20000, 1, queries=1000)])
    thin = compare([sphere(1000, 0)], [sphere(1000, 1)])

    assert float(fscore(few, 0.01).fscore) == pytest.approx(float(fscore(everything, 0.01).fscore), abs=0.03)
    assert float(chamfer_l1(few)) == pytest.approx(float(chamfer_l1(everything)), rel=0.05)
    assert float(fscore(thin, 0.01).fscore) < 0.2 < float(fscore(everything, 0.01).fscore)


def test_a_motion_moves_the_prediction_and_its_normals() -> None:
    """Moving by a motion equals handing in the moved points, both ways, and normals turn with them."""
    motion = Motion(_about_y(0.7), np.array([0.1, -0.2, 0.3]))
    predicted, target = sphere(200, 0, 0.3), sphere(200, 1)
    box = Surface(predicted.points * [1, 0.5, 2], predicted.normals, 200)
    moved = Surface(box.points @ motion.rotation.T + motion.translation, box.normals @ motion.rotation.T, 200)

    by_motion, by_hand = compare([box], [target], [motion]), compare([moved], [target])

    for name in ("accuracy", "completeness", "accuracy_cosine", "completeness_cosine"):
        assert torch.allclose(getattr(by_hand, name), getattr(by_motion, name)), name


def test_normal_consistency_knows_flat_from_crossed() -> None:
    """1 for a surface and itself, either side up; 0 where every normal is at a right angle."""
    plane = np.random.default_rng(0).random((100, 3)) * [1, 1, 0]
    target = Surface(plane, np.tile([0.0, 0, 1], (100, 1)), 100)

    def score(normal: list[float]) -> float:
        return float(normal_consistency(compare([Surface(plane, np.tile(normal, (100, 1)), 100)], [target])))

    scores = [score([0, 0, 1]), score([0, 0, -1]), score([0, 1, 0])]

    assert scores == [1, 1, 0]


@pytest.mark.parametrize("broken", [np.zeros((0, 3)), np.full((5, 3), np.nan)], ids=["empty", "not finite"])
def test_a_broken_prediction_has_no_number_and_a_broken_truth_is_an_error(broken: np.ndarray) -> None:
    """Its row is NaN under every metric, its neighbours' rows are not; truth that is broken stops the run."""
    bad, good = Surface(broken, broken, 50), sphere(100, 0, queries=50)
    distances = compare([bad, good], [good, good])

    for score in (chamfer_l1(distances), fscore(distances, 0.01).fscore, normal_consistency(distances)):
        assert score.isnan().tolist() == [True, False]
    with pytest.raises(InputError, match="target surface 1 has no points"):
        compare([good, good], [good, bad])
