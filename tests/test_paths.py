"""Paths: everything lies below one root."""

from pathlib import Path

import pytest
import yaml

from genren import paths

ROOT = Path(__file__).parents[1]


def everything() -> list[Path]:
    """One example of every path."""
    return [
        paths.params(),
        paths.raw("chair"),
        paths.processed("chair"),
        paths.checksums(),
        paths.inspection("chair"),
        paths.run("chair", 0),
        paths.work("chair-0-abc"),
        paths.metrics("chair", 0),
        paths.samples("chair", 0),
        paths.cost("train", "chair-0"),
        paths.reports(),
    ]


def test_everything_lies_below_the_root_that_the_environment_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A project elsewhere is never read from, nor written to, by half."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))

    assert all(tmp_path in path.parents for path in everything())
    assert len(set(everything())) == len(everything())


def test_the_root_is_the_working_directory(monkeypatch: pytest.MonkeyPatch):
    """DVC runs its stages there, and hands them relative paths."""
    monkeypatch.delenv("GENREN_ROOT", raising=False)

    assert not any(path.is_absolute() or ".." in path.parts for path in everything())


def test_the_pipeline_writes_where_the_steps_do(monkeypatch: pytest.MonkeyPatch):
    """The outs in dvc.yaml, which cannot import this module, name the same places."""
    monkeypatch.delenv("GENREN_ROOT", raising=False)
    written = {
        "fetch": [paths.raw("chair"), paths.cost("fetch", "chair")],
        "preprocess": [paths.processed("chair"), paths.cost("preprocess", "chair")],
        "train": [paths.run("chair", 0), paths.cost("train", "chair-0")],
        "evaluate": [paths.samples("chair", 0), paths.cost("evaluate", "chair-0"), paths.metrics("chair", 0)],
    }

    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    for stage, expected in written.items():
        outs = [out if isinstance(out, str) else next(iter(out)) for out in stages[stage]["outs"]]
        outs = [out.replace("${item.category}", "chair").replace("${item.seed}", "0") for out in outs]
        assert sorted(outs) == sorted(map(str, expected)), stage
