"""What the tests of `preprocess` share."""

from pathlib import Path

import pytest

from tests.preprocess.chairs import write_chairs


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Six chairs with two noisy views each, in the layout that fetch writes; the first two are of one design."""
    return write_chairs(tmp_path / "raw")
