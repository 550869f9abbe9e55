"""The curriculum against the specification's schedule numbers."""

import pytest

from genren.params import StageParams
from genren.train.schedule import stage_at

BASE = StageParams(autoencoder=5000, randomised=3000, mode1=3000, mode2=3000, mode3=85_998, annealing=1000)


@pytest.mark.parametrize(
    ("step", "name"),
    [
        (0, "autoencoder"), (4999, "autoencoder"), (5000, "randomised"), (7999, "randomised"), (8000, "mode1"),
        (10_999, "mode1"), (11_000, "mode2"), (13_999, "mode2"), (14_000, "mode3"), (99_997, "mode3"),
    ],
)  # fmt: skip
def test_stages_change_where_specified(step: int, name: str):
    """Each stage runs for its length, then the next one begins."""
    assert stage_at(step, BASE).name == name


def test_vision_weight_grows_over_the_annealing_period():
    """The weight starts at 0.01099 and reaches 1 after 1000 steps; before mode 1 the vision cycle does not run."""
    assert stage_at(7999, BASE).vision == 0
    assert stage_at(8000, BASE).vision == pytest.approx(0.01099)
    assert stage_at(8499, BASE).vision == pytest.approx(0.505)
    assert stage_at(9100, BASE).vision == 1


def test_graphics_balance_grows_over_mode_2():
    """The balance goes from 0.010327 to 0.99 in mode 2 and is 1 in mode 3."""
    assert stage_at(10_999, BASE).graphics == 0
    assert stage_at(11_000, BASE).graphics == pytest.approx(0.010327, abs=1e-6)
    assert stage_at(13_999, BASE).graphics == pytest.approx(0.99)
    assert stage_at(14_000, BASE).graphics == 1


def test_a_stage_may_be_empty():
    """Length 0 skips a stage."""
    lengths = StageParams(autoencoder=0, randomised=0, mode1=0, mode2=0, mode3=5, annealing=1)

    assert stage_at(0, lengths).name == "mode3"
