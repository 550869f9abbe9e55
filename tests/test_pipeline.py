"""The DVC pipeline knows everything that its stages depend on."""

from pathlib import Path

import grimp
import pytest
import yaml

ROOT = Path(__file__).parents[1]
STAGES = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    """Who imports whom."""
    return grimp.build_graph("genren", "stages")


def source(module: str) -> Path:
    """File of a module, relative to the root."""
    path = Path(*module.split("."))
    return path / "__init__.py" if (ROOT / path).is_dir() else path.with_suffix(".py")


@pytest.mark.parametrize("stage", STAGES)
def test_deps_cover_the_import_graph(stage: str, graph: grimp.ImportGraph):
    """Editing any module that a stage reaches re-runs the stage."""
    reached = graph.find_upstream_modules(f"stages.{stage}") | {f"stages.{stage}"}
    files = [source(module) for module in reached if module not in ("genren", "stages")]
    deps = [Path(dep) for dep in STAGES[stage]["deps"]]

    missing = [str(file) for file in files if not any(file == dep or dep in file.parents for dep in deps)]

    assert len(files) > 5
    assert missing == []


@pytest.mark.parametrize("stage", STAGES)
def test_deps_name_nothing_that_is_not_reached(stage: str, graph: grimp.ImportGraph):
    """No stage runs again for a module it never sees."""
    files = [source(module) for module in graph.find_upstream_modules(f"stages.{stage}")]
    deps = [Path(dep) for dep in STAGES[stage]["deps"] if dep.startswith("genren/") and dep != "genren/presets"]

    unused = [str(dep) for dep in deps if not any(file == dep or dep in file.parents for file in files)]

    assert unused == []


def test_stages_are_the_six_steps():
    """One word per step: stage, door and step have the same name."""
    assert list(STAGES) == ["fetch", "preprocess", "train", "baseline", "evaluate", "report"]
    for stage in STAGES:
        assert (ROOT / "stages" / f"{stage}.py").is_file()
        assert (ROOT / "genren" / stage).is_dir() or (ROOT / "genren" / f"{stage}.py").is_file()


def test_expensive_stages_can_use_the_run_cache():
    """What the first four stages write is cached: one `cache: false` out keeps a stage out of the run cache."""
    for stage in ("fetch", "preprocess", "train", "baseline"):
        assert all(isinstance(out, str) for out in STAGES[stage]["outs"])


def test_every_stage_names_its_parameters():
    """A changed section of params.yaml re-runs the stages that read it."""
    for stage in ("fetch", "preprocess", "train", "baseline", "evaluate"):
        assert stage in STAGES[stage]["params"]
    assert {"categories", "seeds"} <= set(STAGES["report"]["params"])
