"""Cautions: two results that differ in what decides are never side by side without a word."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from genren.report import report
from genren.report.cautions import DECISIVE, differences, failures, fingerprint, since_last_commit
from genren.report.records import Record, read_records
from tests.report.conftest import CATEGORIES
from tests.report.test_report import edit

FACTS: dict[str, Any] = {name: f"some {name}" for name in DECISIVE}


def record(category: str = "car", seed: int = 0, **facts: Any) -> Record:
    """A record with nothing but facts."""
    return Record(category=category, seed=seed, metrics={}, baselines={}, floor={}, comparable=FACTS | facts)


@pytest.mark.parametrize("fact", ["background", "resize", "images", "split", "surface_points", "extractor"])
def test_a_decisive_fact_that_differs_is_a_sentence(fact: str) -> None:
    """Background, resizer, counts, split: each is named with the values of both sides, and has another digest."""
    (sentence,) = differences([record(), record("sofa", **{fact: "another"})])

    assert fact.replace("_", " ") in sentence
    assert "sofa-0 another" in sentence
    assert fingerprint(record().comparable) != fingerprint(record(**{fact: "another"}).comparable)


def test_what_a_run_is_meant_to_change_is_no_caution() -> None:
    """Presets, code and seeds are what people compare, and categories have data of their own."""
    assert differences([record(preset="mini", steps=1), record("sofa", preset="modern", data_version="x")]) == []
    assert fingerprint(record(preset="mini").comparable) == fingerprint(record(preset="modern").comparable)


def commit(root: Path) -> None:
    """Everything in the folder, as a first commit of its own repository."""
    who = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
    for command in (["init", "-q"], ["add", "-A"], [*who, "commit", "-qm", "first"]):
        subprocess.run(["git", "-C", str(root), *command], check=True)


def test_another_background_than_in_the_last_commit_is_said_in_the_report(project: Path) -> None:
    """`dvc metrics diff` compares with the last commit: the page warns where that would mislead, and only there."""
    commit(project)

    assert since_last_commit(read_records(CATEGORIES, [0])) == []
    edit(project / "reports" / "metrics" / "chair-0.json", {"comparable.background": "white"})
    report(CATEGORIES, [0])

    for name in ("summary.md", "index.html"):
        text = (project / "reports" / name).read_text()
        assert "Do not compare" in text
        assert "background is white, was black" in text
        assert "cabinet-0 does not compare" not in text
    assert "Do not compare" not in (project / "README.md").read_text()


def test_without_git_there_is_nothing_to_say(project: Path) -> None:
    """A copied folder has no last commit; the report is written all the same."""
    assert since_last_commit(read_records(CATEGORIES, [0])) == []


def test_predictions_that_failed_are_counted_and_named(project: Path) -> None:
    """A null in a table says that something is missing; the sentence says what, and both reach the page."""
    path = project / "reports" / "metrics" / "chair-0.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"failed": {"untrained": ["m3", "m7"]}}))
    (sentence,) = failures(read_records(["chair"], [0]))
    report(CATEGORIES, [0])

    assert sentence == "untrained, seed 0: 2 not measured (m3, m7); means over them have no value"
    assert sentence in (project / "reports" / "index.html").read_text()
    assert sentence in (project / "reports" / "summary.md").read_text()
