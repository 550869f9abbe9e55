"""Cells of the tables: which score stands where, and what stands where there is none."""

from pathlib import Path

import pytest

from genren.errors import InputError
from genren.report.records import Record
from genren.report.scores import Group, Score
from genren.report.tables import (
    category_table,
    comparable_table,
    full_table,
    hardest_table,
    results_table,
    views_table,
)

GROUP: Group = {
    "model": {
        "chamfer_l1/image_to_shape": Score(0.03, 0.001),
        "chamfer_l1/shape_to_shape": Score(0.02, None),
        "fd_randconv448_seed0_n768": Score(0.5, None),
        "kd_randconv448_seed0_n768": Score(None, None),
        "kd_randconv448_seed0_n768_se": Score(0.1, None),
    },
    "mean_shape": {"chamfer_l1/image_to_shape": Score(0.05, 0.0)},
    "floor": {"chamfer_l1/half_of_the_samples": Score(0.01, None)},
}


def test_cells_of_a_category() -> None:
    """Deviation where seeds differ, n/a for no value, a dash where a metric does not apply, the floor both ways."""
    table = category_table(GROUP)

    assert table.head == [
        "",
        "chamfer_l1 image → shape ↓",
        "chamfer_l1 shape → shape ↓",
        "fd_randconv448_seed0_n768 ↓",
        "kd_randconv448_seed0_n768 ↓",
    ]
    assert table.rows == [
        ["model", "0.0300 ± 0.0010", "0.0200", "0.500", "n/a"],
        ["mean shape", "0.0500", "–", "–", "–"],
        ["floor", "0.0100", "0.0100", "–", "–"],
    ]


def test_the_floor_beside_a_number_is_of_its_own_protocol() -> None:
    """The floor of 100,000 samples stands first in the file, and not beside what 5,000 samples measured."""
    floor = {"chamfer_l1/resampled/n100000": Score(0.002, None), "chamfer_l1/resampled": Score(0.012, None)}
    table = category_table({"model": {"chamfer_l1/image_to_shape": Score(0.05, None)}, "floor": floor})

    assert table.rows[-1] == ["floor", "0.0120"]


def test_counts_that_differ_share_a_column_but_say_so() -> None:
    """The distances of categories with different numbers of images stand in one column without a count and no mean."""
    first: Group = {"model": {"fd_x_n100": Score(1.0, None)}}
    second: Group = {"model": {"fd_x_n200": Score(2.0, None)}}
    table = results_table({"car": first, "sofa": second}, {"model": {}})

    assert table.head == ["", "fd_x_n* ↓"]
    assert table.rows == [["car", "1.00"], ["sofa", "2.00"], ["mean", "–"]]


def test_every_metric_is_somewhere() -> None:
    """What the first table leaves out, such as errors of a distance, the full one has."""
    metrics = [row[0] for row in full_table(GROUP).rows]

    assert metrics == [*GROUP["model"], "chamfer_l1/half_of_the_samples"]


def test_intervals_stand_behind_their_mean() -> None:
    """Bounds belong to one metric of one system; a mean without them stays bare."""
    intervals = {"model": {"chamfer_l1/image_to_shape": (0.025, 0.036), "chamfer_l1/shape_to_shape": None}}
    rows = {row[0]: row[1:] for row in full_table(GROUP, intervals).rows}

    assert rows["chamfer_l1/image_to_shape"] == ["0.03 ± 0.001 [0.025, 0.036]", "0.05", "–"]
    assert rows["chamfer_l1/shape_to_shape"][0] == "0.02"


def test_both_means_are_shown_where_they_differ() -> None:
    """Equal numbers of views make one mean of the two, and no table; a metric that differs gets its row."""
    facts = {"category": "car", "seed": 0, "baselines": {}, "floor": {}, "comparable": {}}
    same = Record(metrics={"psnr": 20.0}, over_views={"model": {"psnr": 20.0}}, **facts)
    other = Record(metrics={"psnr": 20.0, "ssim": 0.5}, over_views={"model": {"psnr": 21.5, "ssim": 0.5}}, **facts)
    table = views_table(other)

    assert views_table(same) is None
    assert table is not None
    assert table.rows == [["psnr", "20", "21.5"]]


def test_hardest_models_come_worst_first(tmp_path: Path) -> None:
    """Ranked by image to shape Chamfer distance, names kept as text even when they look like numbers."""
    rows = ["0012,0.1,0.9", "0007,0.3,", "b,0.2,0.8"]
    (tmp_path / "rows.csv").write_text("\n".join(["model,chamfer_l1/image_to_shape,silhouette_iou/rerender", *rows]))
    table = hardest_table(tmp_path, count=2)

    assert table is not None
    assert table.rows == [["0007", "0.3000", "n/a"], ["b", "0.2000", "0.800"]]


def test_rows_that_are_not_a_table_are_refused(tmp_path: Path) -> None:
    """An empty file is an error that names it; a missing one means there is nothing to rank."""
    assert hardest_table(tmp_path) is None
    (tmp_path / "rows.csv").write_text("")

    with pytest.raises(InputError, match=r"rows\.csv is not a table"):
        hardest_table(tmp_path)


def test_facts_that_differ_are_told_apart() -> None:
    """What all evaluations share is said once; what they do not is said for each."""
    records = [
        Record(category=name, seed=0, metrics={}, baselines={}, floor={}, comparable={"split": "test", "models": count})
        for name, count in (("car", 3), ("sofa", 4))
    ]

    assert comparable_table(records).rows == [["split", "test"], ["models", "car-0: 3, sofa-0: 4"]]
