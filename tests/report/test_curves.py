"""Learning curves: every logged value gets a panel, damaged ones an error."""

from pathlib import Path

import numpy as np
import pytest

from genren.errors import InputError
from genren.report.curves import _read, draw_curves


def write(path: Path, text: str) -> None:
    """A curve file with its folders."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_panels_grow_with_the_values(tmp_path: Path) -> None:
    """Six values need a second line of panels; nested names count each, and the same name of two seeds once."""
    for name in "abcdef":
        write(tmp_path / "0" / "deep" / f"{name}.tsv", f"step\t{name}\n0\t1\n10\t0.5\n")
    write(tmp_path / "1" / "deep" / "a.tsv", "step\ta\n0\t1\n10\t0.2\n")
    few = draw_curves({1: tmp_path / "1"})
    many = draw_curves({0: tmp_path / "0", 1: tmp_path / "1"})

    assert few is not None
    assert many is not None
    assert many.height > few.height
    assert np.asarray(many.convert("L")).min() < 128


def test_points_that_are_not_finite_are_left_out(tmp_path: Path) -> None:
    """A run that diverged in the end still shows its way there."""
    write(tmp_path / "loss.tsv", "step\tloss\n0\t1.0\n10\tnan\n20\tinf\n30\t0.5\n")

    assert _read(tmp_path / "loss.tsv").to_numpy().tolist() == [[0, 1.0], [30, 0.5]]
    assert draw_curves({0: tmp_path}) is not None


def test_a_curve_without_points_is_drawn_empty(tmp_path: Path) -> None:
    """A value that never was finite keeps its panel, so that its absence is seen."""
    write(tmp_path / "loss.tsv", "step\tloss\n0\tnan\n")

    assert draw_curves({0: tmp_path}) is not None


def test_no_curves_give_no_figure(tmp_path: Path) -> None:
    """A run folder without live metrics is not an error."""
    assert draw_curves({0: tmp_path / "absent"}) is None


@pytest.mark.parametrize("text", ["", "time\tloss\n0\t1\n", "step\n0\n", "step\tloss\n0\thigh\n"])
def test_what_is_not_a_curve_is_named(tmp_path: Path, text: str) -> None:
    """An empty file, missing columns and words for numbers are errors that say which file."""
    write(tmp_path / "loss.tsv", text)

    with pytest.raises(InputError, match=r"loss\.tsv is not a curve"):
        draw_curves({0: tmp_path})
