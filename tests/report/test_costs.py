"""Costs: sums by step and category, and totals that do not pretend."""

from pathlib import Path

import pytest

from genren.errors import InputError
from genren.report.costs import cost_table, read_costs
from tests.report.made_up import write_costs


@pytest.fixture
def costs_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Notes of one category with two seeds."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    write_costs(tmp_path / "reports" / "costs", "chair", [0, 1])
    return tmp_path / "reports" / "costs"


def test_seeds_add_up(costs_folder: Path) -> None:
    """Two seeds are trained twice and fetched once; the total is the sum of all, the peak the largest."""
    costs = cost_table(read_costs(["chair"], [0, 1]), ["chair"], [0, 1])

    assert costs.table.rows[0] == ["chair", "60", "5", "600", "2", "48", "716", "1.20"]
    assert costs.table.rows[1] == ["all", "60", "5", "600", "2", "48", "716", "1.20"]
    assert costs.total_seconds == pytest.approx(60.4 + 5.2 + 2 * 325.1)
    assert costs.machine == "2 CPU cores, torch 2.13.0"


def test_a_total_without_one_of_its_parts_is_unknown(costs_folder: Path) -> None:
    """A stage that left no note would make the whole look cheaper than it was."""
    (costs_folder / "train-chair-1.json").unlink()
    costs = cost_table(read_costs(["chair"], [0, 1]), ["chair"], [0, 1])

    assert costs.table.rows[0] == ["chair", "60", "5", "n/a", "2", "48", "n/a", "1.20"]
    assert costs.total_seconds is None


def test_a_malformed_note_is_named(costs_folder: Path) -> None:
    """A note without its seconds is an error that names the file, the field and the stage."""
    (costs_folder / "train-chair-1.json").write_text('{"step": "train", "item": "chair-1"}')

    with pytest.raises(InputError, match=r"train-chair-1\.json: seconds.*train@chair-1"):
        read_costs(["chair"], [0, 1])


def test_the_machine_is_what_the_stages_noted(costs_folder: Path) -> None:
    """Without notes nothing is claimed about the machine."""
    assert cost_table({}, ["chair"], [0]).machine == "machine not noted"
