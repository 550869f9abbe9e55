"""The generated part of the README: only between the markers, only if they are right."""

from pathlib import Path

import pytest

from genren.errors import InputError
from genren.report.readme import BEGIN, END, update_readme


def test_replaces_what_is_between_the_markers(tmp_path: Path) -> None:
    """The text around stays to the byte, however the new part is padded."""
    path = tmp_path / "README.md"
    path.write_text(f"before {BEGIN} old {END} after")

    assert update_readme(path, "\nnew\n\n")
    assert path.read_text() == f"before {BEGIN}\nnew\n{END} after"


def test_does_not_touch_a_file_that_is_up_to_date(tmp_path: Path) -> None:
    """Git and editors see no change where there is none."""
    path = tmp_path / "README.md"
    path.write_text(f"{BEGIN}\nnew\n{END}")
    stamp = path.stat().st_mtime_ns

    assert not update_readme(path, "new")
    assert path.stat().st_mtime_ns == stamp


def test_leaves_files_without_markers_alone(tmp_path: Path) -> None:
    """A project may keep its README to itself, or have none."""
    path = tmp_path / "README.md"

    assert not update_readme(path, "new")
    assert not path.exists()
    path.write_text("words")
    assert not update_readme(path, "new")
    assert path.read_text() == "words"


@pytest.mark.parametrize("text", [f"{BEGIN} only", f"only {END}", f"{END} {BEGIN}", f"{BEGIN}{BEGIN}{END}"])
def test_broken_markers_are_refused(tmp_path: Path, text: str) -> None:
    """Half a pair, the wrong order or a second one would overwrite what a person wrote."""
    path = tmp_path / "README.md"
    path.write_text(text)

    with pytest.raises(InputError, match="put the markers right"):
        update_readme(path, "new")
    assert path.read_text() == text
