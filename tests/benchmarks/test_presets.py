"""Numbers in the decisions' pages are those of the runs beside them, and narrowed presets stay what they are."""

from pathlib import Path

import pytest

from tests.benchmarks.presets import CHANGES, ROOT, _laid_over, narrowed, table

DECISIONS = ROOT / "docs" / "decisions"


@pytest.mark.parametrize("report", sorted(DECISIONS.glob("*.csv")), ids=lambda path: path.stem)
def test_tables_are_those_of_the_runs(report: Path):
    """A table in a page is what the command prints for the CSV: nobody typed it."""
    page = (DECISIONS / "modern.md").read_text()

    assert f"<!-- {report.stem}:begin -->\n{table(report)}\n<!-- {report.stem}:end -->" in page


def test_both_presets_are_equally_narrow():
    """What is compared has the same sizes and schedule, and keeps what makes it the one or the other."""
    original, modern = narrowed("original", {}, 0.1), narrowed("modern", {}, 0.1)

    assert original.stages.total == modern.stages.total
    assert original.model.backbone_width == modern.model.backbone_width == 16
    assert original.batch_size == modern.batch_size
    assert (original.model.rotation, modern.model.rotation) == ("3a", "6d")
    assert (original.optim.ema_decay, modern.optim.ema_decay > 0) == (0, True)


@pytest.mark.parametrize("name", CHANGES)
def test_every_change_is_one(name: str):
    """Each row of the table differs from the first one, and can be trained."""
    base = narrowed("modern", {"model": {"texture_norm": "group"}}, 0.1)
    changed = narrowed("modern", _laid_over({"model": {"texture_norm": "group"}}, CHANGES[name]), 0.1)

    assert (changed == base) == (CHANGES[name] == {})
