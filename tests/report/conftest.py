"""A made-up project of two categories in a temporary folder, the root of all paths while a test runs."""

from pathlib import Path

import pytest

from tests.report.made_up import write_project

CATEGORIES = ["cabinet", "chair"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Inputs of `report(["cabinet", "chair"], [0])`."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    write_project(tmp_path, CATEGORIES, [0])
    return tmp_path
