"""Sets of shapes: chance level, collapse, memory and places, against loops and closed forms."""

import numpy as np
import pytest

from genren.errors import InputError
from genren.metrics.shape_sets import chamfer_matrix, jsd, shape_sets


def ellipsoids(count: int, seed: int, spread: float = 0.3, points: int = 120) -> np.ndarray:
    """Clouds (count, points, 3) of ellipsoids whose sides vary by `spread`."""
    rng = np.random.default_rng(seed)
    directions = rng.standard_normal((count, points, 3))
    directions /= np.linalg.norm(directions, axis=2, keepdims=True)
    sides = 0.35 * (1 + spread * rng.uniform(-1, 1, (count, 1, 3)))
    clouds: np.ndarray = directions * sides
    return clouds


def test_the_matrix_is_the_chamfer_distance_of_every_pair() -> None:
    """Sum of mean squares both ways, by the double loop, and symmetric."""
    clouds = ellipsoids(4, 0, points=15)
    matrix = chamfer_matrix(clouds)

    for i, x in enumerate(clouds):
        for j, y in enumerate(clouds):
            squared = ((x[:, None] - y[None]) ** 2).sum(-1)
            assert squared.min(1).mean() + squared.min(0).mean() == pytest.approx(matrix[i, j], abs=1e-12)


def test_two_draws_of_one_distribution_cannot_be_told_apart() -> None:
    """1-NNA is a half within its error, over many draws; a distribution of other sides is told apart."""
    count, draws = 20, 40
    values = [
        shape_sets(*(ellipsoids(count, 2 * s + side, points=40) for side in (0, 1))).one_nna for s in range(draws)
    ]
    other = shape_sets(ellipsoids(count, 0) * [0.6, 1, 1], ellipsoids(count, 1)).one_nna

    # Of the 39 others 19 are of a shape's own set: chance is a hair below a half.
    assert abs(np.mean(values) - 19 / 39) < 3 * np.std(values, ddof=1) / draws**0.5
    assert other > 0.85


def test_collapse_lowers_coverage_and_not_mmd_alone() -> None:
    """One good shape over and over: it is the nearest of all to some real ones only, and the test sees through it."""
    real, good = ellipsoids(20, 0), ellipsoids(20, 1)
    collapsed = np.repeat(good[:1], 20, axis=0) + 1e-4 * np.random.default_rng(0).standard_normal(good.shape)
    found, sound = shape_sets(collapsed, real), shape_sets(good, real)

    assert found.coverage <= 0.15
    assert sound.coverage > 0.3
    assert found.one_nna > sound.one_nna
    assert found.mmd > sound.mmd


def test_jsd_is_one_bit_for_disjoint_places_and_none_for_equal_ones() -> None:
    """The ends of the scale, and a case by hand between them: half of the points shared."""
    left, right = np.full((1, 10, 3), -0.4), np.full((1, 10, 3), 0.4)
    half = np.concatenate([left[:, :5], right[:, :5]], axis=1)

    assert jsd(left, right) == pytest.approx(1)
    assert jsd(left, left) == 0
    # p = (1, 0), q = (1/2, 1/2), m = (3/4, 1/4).
    expected = 0.5 * np.log2(1 / 0.75) + 0.5 * (0.5 * np.log2(0.5 / 0.75) + 0.5 * np.log2(0.5 / 0.25))
    assert expected == pytest.approx(jsd(left, half))


def test_other_counts_and_broken_shapes_are_refused() -> None:
    """1-NNA of unequal sets is no test, and a shape that is not finite is near to nothing."""
    real = ellipsoids(4, 0)
    broken = real.copy()
    broken[0, 0, 0] = np.inf

    with pytest.raises(InputError, match="both be"):
        shape_sets(real[:3], real)
    with pytest.raises(InputError, match="not finite"):
        shape_sets(broken, real)
