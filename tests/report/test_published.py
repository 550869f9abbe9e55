"""Published rows: only beside ours of the same protocol, data and category, in our units."""

import pytest

from genren.report.published import published_table
from genren.report.records import Record
from genren.report.scores import Group, Score

GROUP: Group = {
    "model": {
        "chamfer_l2_x1000/image_to_shape/pixel2mesh": Score(0.7, None),
        "fscore_1e-4/image_to_shape/pixel2mesh": Score(0.5, None),
        "chamfer_l1_x10/image_to_shape/unicorn": Score(0.3, None),
        "fscore_1e-4/image_to_shape": Score(0.2, None),
    }
}


def record(dataset: str, category: str = "car") -> Record:
    """A record of some data."""
    facts = {"dataset": dataset}
    return Record(category=category, seed=0, metrics={}, baselines={}, floor={}, comparable=facts)


def test_rows_of_the_same_data_stand_beside_ours() -> None:
    """Pixel2Mesh's car, its percent as a share, and our own row last, under keys that we have."""
    table = published_table(record("ShapeNetP2M test"), GROUP)

    assert table is not None
    head = ["", "fscore_1e-4/image_to_shape/pixel2mesh", "chamfer_l2_x1000/image_to_shape/pixel2mesh"]
    assert table.head == [*head, "supervision", "source"]
    assert [row[0] for row in table.rows] == ["3D-R2N2", "PSG", "N3MR", "Pixel2Mesh", "model"]
    assert table.rows[3][1:3] == ["0.6786", "0.268"]
    assert table.rows[-1][1:3] == ["0.5", "0.7"]


def test_unicorn_is_another_protocol_on_other_data() -> None:
    """The same category on UNICORN's renders shows UNICORN's rows and nobody else's."""
    table = published_table(record("NMR renders 64x64, softras splits"), GROUP)

    assert table is not None
    assert table.head[1] == "chamfer_l1_x10/image_to_shape/unicorn"
    assert table.rows[0][:2] == ["UNICORN", "0.168"]


@pytest.mark.parametrize(
    ("dataset", "category"), [("procedural", "car"), ("unnamed", "car"), ("ShapeNetP2M test", "lamp"), ("", "car")]
)
def test_other_data_have_no_published_rows(dataset: str, category: str) -> None:
    """Numbers on embedded or unnamed data never stand beside ShapeNet's, nor a category beside another."""
    assert published_table(record(dataset, category), GROUP) is None


def test_a_protocol_that_was_not_measured_shows_nothing() -> None:
    """Our canonical F-score is not Pixel2Mesh's, whatever the data."""
    assert (
        published_table(record("ShapeNetP2M test"), {"model": {"fscore_1e-4/image_to_shape": Score(0.2, None)}}) is None
    )
