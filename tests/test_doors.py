"""Doors: a user's mistake is one sentence, a bug keeps its traceback, a finished stage leaves a note."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from genren import paths
from genren.doors import door, spread, stage
from genren.errors import InputError, TrainingDiverged
from genren.report.costs import cost_table, read_costs

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project root of the test's own."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("error", [InputError, TrainingDiverged])
def test_a_users_mistake_is_one_line_and_exit_code_2(error: type[InputError], capsys: pytest.CaptureFixture[str]):
    """The sentence goes to stderr alone, so that what a command prints can be piped."""
    with pytest.raises(SystemExit) as caught, door():
        raise error("found a, expected b, try c")

    assert caught.value.code == 2
    assert capsys.readouterr() == ("", "Error: found a, expected b, try c\n")


def test_a_bug_keeps_its_traceback():
    """Only InputError is a user's mistake; its parent class is not, or bugs would hide behind a sentence."""
    with pytest.raises(ValueError, match="a bug"), door():
        raise ValueError("a bug")


def test_a_stage_notes_what_it_cost():
    """Seconds, peak memory, cores and torch, in the shape that the report reads."""
    with stage("evaluate", "chair-0"):
        sum(range(1000))

    note = json.loads(paths.cost("evaluate", "chair-0").read_text())
    assert set(note) == {"step", "item", "seconds", "peak_memory_gb", "cpu_count", "torch_version"}
    assert 0 < note["seconds"] < 60
    # This process has numpy and pandas in it: more than 20 MB, and a unit off by 1000 would show.
    assert 0.02 < note["peak_memory_gb"] < 100
    costs = read_costs(["chair"], [0])
    assert f"torch {note['torch_version']}" in cost_table(costs, ["chair"], [0]).machine


@pytest.mark.parametrize(("error", "seen"), [(InputError("no"), SystemExit), (KeyError("bug"), KeyError)])
def test_a_failed_stage_leaves_the_last_note(error: Exception, seen: type[BaseException]):
    """The cost of a run that broke off says nothing about what the stage costs."""
    paths.cost("train", "chair-0").parent.mkdir(parents=True)
    paths.cost("train", "chair-0").write_text("old")

    with pytest.raises(seen), stage("train", "chair-0"):
        raise error

    assert paths.cost("train", "chair-0").read_text() == "old"


@pytest.mark.parametrize("arguments", [["fetch", "chair"], ["preprocess", "chair"], ["report"]])
def test_stage_scripts_are_doors(arguments: list[str], root: Path):
    """What `dvc repro` runs answers a missing params.yaml in one sentence, and leaves no note."""
    name, *rest = arguments
    done = subprocess.run(
        [sys.executable, "-m", f"stages.{name}", *rest], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [
        f"Error: {root}/params.yaml does not exist; run from the project's root or set GENREN_ROOT"
    ]
    assert not list(root.iterdir())


def test_the_doors_import_no_torch():
    """The version in the note comes from the package's record; the report must start without torch."""
    code = "import sys, genren.doors; print('torch' in sys.modules, 'genren.errors' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout == "False True\n"


def test_a_full_disk_is_one_sentence(capsys: pytest.CaptureFixture[str]):
    """No room is a user's matter, other errors of the system are not."""
    with pytest.raises(SystemExit) as caught, door():
        raise OSError(errno.ENOSPC, "No space left on device", "runs/x")

    assert caught.value.code == 2
    assert capsys.readouterr().err.startswith("Error: [Errno 28] No space left on device: 'runs/x'; nothing that was")
    with pytest.raises(PermissionError), door():
        raise PermissionError


def test_only_rank_0_notes_the_cost(monkeypatch: pytest.MonkeyPatch):
    """Processes that share a batch are one stage run."""
    monkeypatch.setenv("RANK", "1")
    with stage("train", "chair-0"):
        pass

    assert not paths.cost("train", "chair-0").exists()


def test_a_command_is_spread_over_devices_once(monkeypatch: pytest.MonkeyPatch):
    """The same command runs under torchrun, in as many processes as devices, and is not spread again from there."""
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execve", lambda _, command, environment: started.append([*command, environment]))
    monkeypatch.setattr(sys, "orig_argv", ["python", "-m", "stages.train", "chair", "0"])

    spread(1)
    spread(3)
    monkeypatch.setenv("TORCHELASTIC_RUN_ID", "1")
    spread(3)

    ((*command, environment),) = started
    assert [sys.executable, "-m", "torch.distributed.run"] == command[:3]
    assert command[4:] == ["--nproc-per-node=3", "-m", "stages.train", "chair", "0"]
    assert environment["TORCH_DISABLE_SHARE_RDZV_TCP_STORE"] == "1"
