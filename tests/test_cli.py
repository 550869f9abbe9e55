"""The command line: quick to answer, whole from an image to a mesh, and one sentence where the input is bad."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from genren import paths
from genren.categories import SYNSETS
from genren.files import read_json
from genren.models import checkpoint
from genren.models.model import GenerativeRenderer
from genren.params import TrainParams
from genren.report.records import read_records
from tests.conftest import ROOT, Terminal, contents

COMMANDS = ["fetch", "preprocess", "inspect", "train", "baseline", "import-weights", "eval", "evaluate", "report"]
COMMANDS += ["reconstruct", "generate", "doctor"]


def test_help_imports_nothing_heavy():
    """`genren --help` answers at once: no library that takes a tenth of a second is loaded before it is needed."""
    code = """
import sys
from genren.cli import main
sys.argv = ["genren", "--help"]
try:
    main()
finally:
    heavy = {"torch", "numpy", "scipy", "pandas", "pydantic", "warp", "trimesh", "matplotlib", "dvc", "dvclive", "PIL"}
    print(sorted(heavy & sys.modules.keys()))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"
    for command in COMMANDS:
        assert (re.search(rf"^ +{command} ", done.stdout, re.MULTILINE) is None) == (command == "evaluate")


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: str, genren: Terminal):
    """Usage first, then what it does in a sentence, which the list of commands shows whole."""
    usage, _, purpose, *_ = genren(command, "--help")

    assert usage.startswith(f"Usage: genren {command} [OPTIONS]")
    assert purpose.endswith(".")
    listed = " ".join(genren("--help"))
    assert (purpose.strip() in listed) or command == "evaluate"
    assert "..." not in listed.split("Commands:")[1]


@pytest.mark.parametrize("command", ["fetch", "preprocess", "inspect", "train", "baseline", "eval", "generate"])
def test_an_unknown_category_is_answered_with_the_list(command: str, genren: Terminal):
    """A typo costs one look: all thirteen names stand on the line of the error."""
    code, out, err = genren.run(command, "--category", "cabinte", *(["--out", "x"] if command == "generate" else []))

    (line,) = [line for line in err.splitlines() if "cabinte" in line]
    assert (code, out) == (2, "")
    assert all(f"'{name}'" in line for name in SYNSETS)


def test_eval_prints_and_writes_the_scores(project: Path, genren: Terminal):
    """From a checkpoint to the table: every metric beside its baselines, and where the files are."""
    lines = genren("eval", "--category", "cabinet")

    (record,) = read_records(["cabinet"], [0])
    assert lines[0].split() == ["model", "untrained", "template", "mean_shape", "nearest_image", "oracle"]
    for name, value in record.metrics.items():
        (row,) = [line.split() for line in lines if line.startswith(f"{name} ")]
        assert row[1] == f"{value:.4f}"
    assert lines[-1] == f"wrote {paths.metrics('cabinet', 0)} and {paths.samples('cabinet', 0)}"
    assert contents(paths.samples("cabinet", 0)).keys() >= {"rows.csv", "reconstructions/00.glb"}


def test_eval_refuses_a_model_of_another_preset(project: Path, tiny_params: TrainParams, genren: Terminal):
    """A checkpoint that params.yaml does not describe is not measured under its name, and the last scores stay."""
    paths.metrics("cabinet", 0).parent.mkdir(parents=True)
    paths.metrics("cabinet", 0).write_text("old")
    other = tiny_params.model_copy(update={"preset": "original"})
    path = paths.run("cabinet", 0) / "model.safetensors"
    checkpoint.save(path, GenerativeRenderer(tiny_params.model), "cabinet", 0, 10, other)

    line = genren.refusal("eval", "--category", "cabinet")

    assert line == (
        f"Error: checkpoint {path} is of preset 'original', params.yaml says 'mini';"
        " set train.preset to original or train again"
    )
    assert paths.metrics("cabinet", 0).read_text() == "old"


def test_a_named_checkpoint_is_taken_as_it_is(project: Path, tiny_params: TrainParams, image: Path, genren: Terminal):
    """With --checkpoint any settings are welcome, but no other category; results lie beside it, the pipeline's stay."""
    before = contents(project)
    other = tiny_params.model_copy(update={"preset": "original"})
    path = Path("else/model.safetensors").absolute()
    checkpoint.save(path, GenerativeRenderer(tiny_params.model), "cabinet", 0, 10, other)

    lines = genren("eval", "--category", "cabinet", "--checkpoint", path)
    meshes = genren("reconstruct", image, "--category", "cabinet", "--out", "out", "--checkpoint", path)
    meshes += genren("generate", "--category", "cabinet", "--count", 2, "--out", "out", "--checkpoint", path)
    line = genren.refusal("generate", "--category", "chair", "--out", "other", "--checkpoint", path)

    assert lines[-1] == f"wrote {path.parent / 'metrics.json'} and {path.parent / 'samples'}"
    assert read_json(path.parent / "metrics.json")["comparable"]["preset"] == "original"
    assert [str(Path("out") / name) for name in ("photo.glb", "000.glb", "001.glb")] == meshes
    assert "is of category 'cabinet', expected 'chair'; use --category cabinet" in line
    assert contents(project) == before


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["eval", "--category", "cabinet", "--seed", "5"], "cabinet-5/model.safetensors does not exist; train one"),
        (["generate", "--category", "chair", "--out", "out"], "chair-0/model.safetensors does not exist; train one"),
        (["preprocess", "--category", "chair"], "chair first"),
        (["inspect", "--category", "chair"], "chair is no packed store"),
        (["train", "--category", "chair"], "chair is no packed store"),
        (["report"], "cabinet-0.json does not exist; run `dvc repro evaluate@cabinet-0`"),
    ],
)
def test_what_is_missing_is_named(arguments: list[str], expected: str, project: Path, genren: Terminal):
    """A command run before its time says in one sentence what to run first, and writes nothing."""
    before = contents(project)

    line = genren.refusal(*arguments)

    assert line.startswith("Error: ")
    assert expected in line
    assert contents(project) == before
    assert not Path("out").exists()


def test_unknown_settings_are_named(project: Path, genren: Terminal):
    """A typo in params.yaml is one sentence with the known keys, whatever the command."""
    with (project / "params.yaml").open("a") as file:
        file.write("evalute: {}\n")

    line = genren.refusal("eval", "--category", "cabinet")

    assert "unknown key 'evalute' (known: categories, seeds, fetch, preprocess, train, baseline, evaluate)" in line
