"""Where numbers may not be compared: facts in which evaluations differ, here and since the last commit."""

import hashlib
import json
import subprocess
from typing import Any

from genren import paths
from genren.report.records import Record

# What two numbers must share. What a run is meant to change (preset, steps, code, seed) is not among them.
DECISIVE = (
    "dataset",
    "split",
    "models",
    "images",
    "image_size",
    "background",
    "extractor",
    "extractor_sha256",
    "resize",
    "surface_points",
    "queries",
    "close_points",
    "close_queries",
    "close_views",
    "set_points",
    "watertight_models",
    "frame",
    "symmetry",
    "data_version",
)

# Facts that belong to a category and differ between categories by their nature.
OF_A_CATEGORY = ("data_version", "symmetry")


def fingerprint(comparable: dict[str, Any]) -> str:
    """Eight digits that two results share if their numbers may be compared."""
    facts = {name: comparable.get(name) for name in DECISIVE}
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:8]


def differences(records: list[Record]) -> list[str]:
    """A sentence for each decisive fact in which the evaluations of this report differ."""
    sentences = []
    for fact in DECISIVE:
        values = {f"{record.category}-{record.seed}": record.comparable.get(fact) for record in records}
        if len(set(map(str, values.values()))) > 1 and fact not in OF_A_CATEGORY:
            named = ", ".join(f"{name} {value}" for name, value in values.items())
            sentences.append(
                f"{_words(fact)} differs within this report ({named}): those rows and their mean do not compare"
            )
    return sentences


def since_last_commit(records: list[Record]) -> list[str]:
    """A sentence for each decisive fact that is another one in the last commit, which `dvc metrics diff` compares with.

    Nothing where there is no git, no commit or no earlier result.
    """
    commit = _git("rev-parse", "--short", "HEAD")
    sentences = []
    for record in records if commit else []:
        path = paths.metrics(record.category, record.seed).relative_to(paths.root())
        text = _git("show", f"HEAD:./{path.as_posix()}")
        try:
            old = json.loads(text or "{}").get("comparable", {})
        except json.JSONDecodeError:
            continue
        changed = [
            f"{_words(fact)} is {record.comparable.get(fact)}, was {old.get(fact, 'not noted')}"
            for fact in DECISIVE
            if old and old.get(fact) != record.comparable.get(fact)
        ]
        if changed:
            item, when = f"{record.category}-{record.seed}", (commit or "").strip()
            sentences.append(
                f"{item} does not compare with commit {when}, the last one when this was written, so `dvc metrics diff`"
                f" would mislead: {'; '.join(changed)}"
            )
    return sentences


def failures(records: list[Record]) -> list[str]:
    """A sentence for each system that has predictions which could not be measured."""
    return [
        f"{system}, seed {record.seed}: {len(names)} not measured ({', '.join(names)}); means over them have no value"
        for record in records
        for system, names in record.failed.items()
    ]


def _words(fact: str) -> str:
    return fact.replace("_", " ")


def _git(*arguments: str) -> str | None:
    """What git prints about the project's folder, or None if it has nothing to say."""
    try:
        done = subprocess.run(  # noqa: S603
            ["git", "-C", str(paths.root()), *arguments],  # noqa: S607
            capture_output=True,
            text=True,
            check=True,
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout
