"""Targets: each bound by hand, and at the bound itself."""

import pytest

from genren.report.scores import Group, Score
from genren.report.targets import judge, target_table

FRECHET = "fd_randconv448_seed0_n768"


def group(shape: float, image: float, iou: float, frechet: float | None) -> Group:
    """Scores against a mean shape at 0.04 and an untrained model at 2."""
    model = {"chamfer_l1/shape_to_shape": shape, "chamfer_l1/image_to_shape": image, "silhouette_iou": iou}
    systems: dict[str, dict[str, float | None]] = {
        "model": model | {FRECHET: frechet},
        "mean_shape": {"chamfer_l1/shape_to_shape": 0.04, "chamfer_l1/image_to_shape": 0.04},
        "untrained": {FRECHET: 2.0},
    }
    return {name: {key: Score(value, None) for key, value in values.items()} for name, values in systems.items()}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ((0.01, 0.03, 0.8, 0.5), [True, True, True, True]),
        ((0.02, 0.04, 0.75, 1.0), [True, False, True, True]),
        ((0.021, 0.05, 0.74, 1.01), [False, False, False, False]),
        ((0.01, 0.03, 0.8, None), [True, True, True, None]),
    ],
    ids=["well met", "at the bound", "missed", "no value"],
)
def test_bounds(scores: tuple, expected: list[bool | None]) -> None:
    """At most half, below, at least: the words of each target decide at its bound."""
    assert [verdict.met for verdict in judge({"car": group(*scores)})] == expected


def test_verdicts_say_the_figure_and_the_bound() -> None:
    """The sign between the two is true whether the target was met or missed."""
    texts = [str(verdict) for verdict in judge({"car": group(0.021, 0.03, 0.74, None)})]

    assert texts[0] == "missed: 0.0210 > 0.0200"
    assert texts[1] == "met: 0.0300 < 0.0400"
    assert texts[2] == "missed: 0.740 < 0.750"
    assert texts[3] == "not judged: figure n/a, bound 1.00"


def test_another_sample_count_is_not_a_bound() -> None:
    """The untrained model's distance at another count is another metric: the target stays unjudged."""
    scores = group(0.01, 0.03, 0.8, 0.5)
    scores["untrained"] = {"fd_randconv448_seed0_n100": Score(2.0, None)}

    assert judge({"car": scores})[-1].met is None


def test_table_has_a_row_a_category() -> None:
    """Categories down, in order, and the four targets across."""
    table = target_table(judge({"sofa": group(0.01, 0.03, 0.8, 0.5), "car": group(0.03, 0.03, 0.8, 0.5)}))

    assert [row[0] for row in table.rows] == ["sofa", "car"]
    assert len(table.head) == 5
    assert table.rows[1][1].startswith("missed")
