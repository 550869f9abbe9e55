"""F-score: the definition, which share is which, and the thresholds behind the names."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from genren.metrics.chamfer import SurfaceDistances, chamfer_l2, surface_distances
from genren.metrics.fscore import THRESHOLDS, fscore


def fscore_slowly(predicted: Tensor, target: Tensor, threshold: float) -> tuple[float, float, float]:
    """Precision, recall and F-score of one pair of clouds, word for word."""
    near_target = [any(math.dist(p, q) <= threshold for q in target.tolist()) for p in predicted.tolist()]
    near_predicted = [any(math.dist(p, q) <= threshold for q in predicted.tolist()) for p in target.tolist()]
    precision, recall = sum(near_target) / len(near_target), sum(near_predicted) / len(near_predicted)
    return precision, recall, 2 * precision * recall / (precision + recall) if precision + recall else 0.0


@settings(max_examples=25, deadline=None)
@given(n=st.integers(1, 12), m=st.integers(1, 12), threshold=st.floats(0.05, 1.0), seed=st.integers(0, 1000))
def test_agrees_with_the_definition(n: int, m: int, threshold: float, seed: int) -> None:
    """All three numbers equal the double loop, at any threshold and size."""
    random = torch.Generator().manual_seed(seed)
    predicted, target = torch.rand(1, n, 3, generator=random), torch.rand(1, m, 3, generator=random)
    score = fscore(surface_distances(predicted, target), threshold)

    expected = fscore_slowly(predicted[0], target[0], threshold)

    assert expected == pytest.approx((float(score.precision), float(score.recall), float(score.fscore)))


def test_a_missing_leg_hurts_recall_not_precision() -> None:
    """A prediction that covers half the target well has precision 1 and recall a half; swapped names would fail."""
    seat = torch.rand(1, 100, 3)
    leg = torch.rand(1, 100, 3) - torch.tensor([0.0, 3.0, 0.0])
    score = fscore(surface_distances(seat, torch.cat([seat, leg], dim=1)), 0.01)

    assert float(score.precision) == 1.0
    assert float(score.recall) == 0.5
    assert float(score.fscore) == pytest.approx(2 / 3)


def test_extra_geometry_hurts_precision_not_recall() -> None:
    """The other way round: a wing that is not there costs precision alone."""
    body, wing = torch.rand(1, 100, 3), torch.rand(1, 300, 3) + 3
    score = fscore(surface_distances(torch.cat([body, wing], dim=1), body), 0.01)

    assert float(score.precision) == 0.25
    assert float(score.recall) == 1.0


def test_is_zero_not_nan_when_nothing_is_near() -> None:
    """Clouds far apart have precision and recall 0, and a score that can still be averaged."""
    score = fscore(surface_distances(torch.zeros(1, 2, 3), torch.ones(1, 2, 3)), 0.01)

    assert float(score.fscore) == 0.0


def test_thresholds_are_what_their_names_say() -> None:
    """`T` in a name counts distances whose square is at most T, as Pixel2Mesh does; 1e-4 and 4e-4 are 1 % and 2 %."""
    for name, distance in THRESHOLDS.items():
        squared = float(name)
        near = SurfaceDistances(torch.full((1, 1), math.sqrt(squared) * 0.999), torch.zeros(1, 1))
        far = SurfaceDistances(torch.full((1, 1), math.sqrt(squared) * 1.001), torch.zeros(1, 1))

        assert float(fscore(near, distance).precision) == 1.0
        assert float(fscore(far, distance).precision) == 0.0


def test_grows_with_the_threshold() -> None:
    """A looser threshold never lowers the score, whatever the pair in the batch."""
    distances = surface_distances(torch.rand(4, 300, 3), torch.rand(4, 300, 3))
    scores = [fscore(distances, threshold).fscore for threshold in sorted(THRESHOLDS.values())]

    assert torch.stack(scores).diff(dim=0).min() >= 0


def test_kaolin_mixes_up_its_counts() -> None:
    """Its recall takes hits of the prediction and misses of the target: here on 2,000 and 10,000 points of one sphere.

    Ours does not depend on how many points either side has, only on the share that is near.
    """
    directions = torch.nn.functional.normalize(torch.randn(12000, 3), dim=-1) / 2
    distances = surface_distances(directions[None, :2000], directions[None, 2000:])
    score = fscore(distances, 0.02)
    hits = float((distances.accuracy <= 0.02).sum())
    misses = float((distances.completeness > 0.02).sum())
    precision, recall = hits / 2000, hits / (hits + misses)
    kaolin = 2 * precision * recall / (precision + recall)

    assert float(score.recall) == pytest.approx(float((distances.completeness <= 0.02).double().mean()))
    assert abs(kaolin - float(score.fscore)) > 0.1


@pytest.mark.gpu
def test_kaolin_s_chamfer_is_ours_on_cuda() -> None:
    """Where Kaolin is installed its chamfer_distance is our l2, and its f_score is not our F-score."""
    pointcloud = pytest.importorskip("kaolin.metrics.pointcloud", reason="needs NVIDIA's kaolin")
    predicted, target = torch.rand(2, 500, 3).cuda(), torch.rand(2, 700, 3).cuda()
    distances = surface_distances(predicted, target)

    assert torch.allclose(pointcloud.chamfer_distance(predicted, target), chamfer_l2(distances), rtol=1e-5)
    theirs, ours = pointcloud.f_score(target, predicted, radius=0.05), fscore(distances, 0.05).fscore
    assert not torch.allclose(theirs.double(), ours, rtol=1e-3)
