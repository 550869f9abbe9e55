"""The curriculum against the specification's schedule numbers."""

import pytest

from genren.train.schedule import stage_at
from tests.conftest import preset

BASE = preset("original").stages


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (0, "autoencoder"), (5000, "autoencoder"), (5001, "randomised"), (8000, "randomised"), (8001, "mode1"),
        (11_000, "mode1"), (11_001, "mode2"), (14_000, "mode2"), (14_001, "mode3"), (99_998, "mode3"),
    ],
)  # fmt: skip
def test_stages_change_where_specified(step: int, name: str):
    """Each stage runs for its length, then the next one begins."""
    assert stage_at(step, BASE).name == name


def test_vision_weight_grows_over_the_annealing_period():
    """The weight starts at 0.01099 and reaches its limit after 1000 steps; before mode 1 the cycle does not run."""
    assert stage_at(8000, BASE).vision == 0
    assert stage_at(8001, BASE).vision == pytest.approx(0.01099)
    assert stage_at(8500, BASE).vision == pytest.approx(0.505)
    assert stage_at(9000, BASE).vision == stage_at(50_000, BASE).vision == 0.999
    assert stage_at(50_000, preset("modern").stages).vision == 1


def test_graphics_balance_grows_over_mode_2():
    """The balance goes from 0.010327 to 0.99 in mode 2 and is 1 in mode 3."""
    assert stage_at(11_000, BASE).graphics == 0
    assert stage_at(11_001, BASE).graphics == pytest.approx(0.010327, abs=1e-6)
    assert stage_at(14_000, BASE).graphics == pytest.approx(0.99)
    assert stage_at(14_001, BASE).graphics == 1
    assert BASE.total == 99_999


def test_a_stage_may_be_empty():
    """Length 0 skips a stage."""
    lengths = BASE.model_copy(update=dict.fromkeys(("autoencoder", "randomised", "mode1", "mode2"), 0))

    assert stage_at(0, lengths).name == "mode3"
