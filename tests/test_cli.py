"""The command line: quick to answer, whole from an image to a mesh, and one sentence where the input is bad."""

import importlib.metadata
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from genren import cli, paths
from genren.categories import SYNSETS
from genren.data.store import Store
from genren.geometry.meshfile import load_mesh
from genren.models import checkpoint
from genren.models.model import GenerativeRenderer
from genren.params import TrainParams
from genren.report.records import read_records

ROOT = Path(__file__).parents[1]
COMMANDS = ["fetch", "preprocess", "train", "eval", "evaluate", "report", "reconstruct", "generate", "doctor"]


class Terminal:
    """Runs commands as a person would, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.monkeypatch, self.capsys = monkeypatch, capsys

    def __call__(self, *arguments: object) -> list[str]:
        """The lines that a command prints; it must succeed."""
        code, out, err = self.run(*arguments)
        assert (code, err) == (0, "")
        return out.splitlines()

    def refusal(self, *arguments: object) -> str:
        """The one sentence with which a command refuses; it must exit with 2 and print nothing else."""
        code, out, err = self.run(*arguments)
        assert (code, out) == (2, "")
        (line,) = err.splitlines()
        return line

    def run(self, *arguments: object) -> tuple[int, str, str]:
        """Exit code, stdout and stderr of a command."""
        self.monkeypatch.setattr(sys, "argv", ["genren", *map(str, arguments)])
        with pytest.raises(SystemExit) as caught:
            cli.main()
        return int(caught.value.code or 0), *self.capsys.readouterr()


@pytest.fixture
def genren(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    """The command `genren`."""
    return Terminal(monkeypatch, capsys)


@pytest.fixture(scope="module")
def made(tiny_params: TrainParams, tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project root with tiny settings, a packed store and a random model of cabinets."""
    root = tmp_path_factory.mktemp("project")
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings["categories"] = ["cabinet"]
    settings["train"] = tiny_params.model_dump(mode="json")
    settings["evaluate"] |= {"surface_points": 300, "mean_shape_steps": 2, "pictures": 1}
    settings["preprocess"]["img_size"] = settings["train"]["model"]["img_size"]
    (root / "params.yaml").write_text(yaml.safe_dump(settings))
    shutil.copytree(tiny_store, root / "data" / "processed" / "cabinet")
    torch.manual_seed(0)
    model = GenerativeRenderer(tiny_params.model)
    checkpoint.save(root / "runs" / "cabinet-0" / "model.safetensors", model, "cabinet", 0, 10, tiny_params)
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project for one test; the working directory is another one."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path / "project"))
    return shutil.copytree(made, tmp_path / "project")


@pytest.fixture
def image(project: Path, tmp_path: Path) -> Path:
    """A picture of a cabinet in a file of its own."""
    store = Store.open(paths.processed("cabinet"))
    Image.fromarray(store.images[store.images_of("test")[0]], "RGBA").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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


@pytest.mark.parametrize("command", ["fetch", "preprocess", "train", "eval", "generate"])
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
    assert lines[0].split() == ["model", "untrained", "mean_shape", "nearest_image"]
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


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["eval", "--category", "cabinet", "--seed", "5"], "cabinet-5/model.safetensors does not exist; train one"),
        (["generate", "--category", "chair", "--out", "out"], "chair-0/model.safetensors does not exist; train one"),
        (["preprocess", "--category", "chair"], "chair first"),
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

    assert "unknown key 'evalute' (known: categories, seeds, fetch, preprocess, train, evaluate)" in line


def test_reconstruct_makes_a_mesh_and_a_render_per_image(image: Path, genren: Terminal, tmp_path: Path):
    """An image of any size becomes a coloured mesh inside the canonical box's reach, and an RGBA re-render."""
    larger = tmp_path / "larger.png"
    with Image.open(image) as picture:
        picture.resize((100, 100), Image.Resampling.NEAREST).save(larger)

    lines = genren("reconstruct", image, larger, "--category", "cabinet", "--out", tmp_path / "out")

    assert lines == [str(tmp_path / "out" / name) for name in ("photo.glb", "larger.glb")]
    assert sorted(contents(tmp_path / "out")) == ["larger.glb", "larger.png", "photo.glb", "photo.png"]
    mesh = load_mesh(tmp_path / "out" / "photo.glb")
    assert len(mesh.faces) == 80
    assert 0 < np.ptp(mesh.vertices, axis=0).max() < 3
    assert np.ptp(mesh.face_colors) > 0
    with Image.open(tmp_path / "out" / "photo.png") as render:
        assert (render.mode, render.size) == ("RGBA", (32, 32))


def test_an_image_is_reconstructed_alike_in_any_company(image: Path, genren: Terminal, tmp_path: Path):
    """What is beside it in the batch does not change an image's mesh."""
    store = Store.open(paths.processed("cabinet"))
    Image.fromarray(store.images[store.images_of("train")[3]], "RGBA").save(tmp_path / "other.png")

    genren("reconstruct", image, "--category", "cabinet", "--out", tmp_path / "alone")
    genren("reconstruct", tmp_path / "other.png", image, "--category", "cabinet", "--out", tmp_path / "both")

    alone, both = (load_mesh(tmp_path / folder / "photo.glb") for folder in ("alone", "both"))
    other = load_mesh(tmp_path / "both" / "other.glb")
    away = np.abs(alone.vertices - other.vertices).max()
    np.testing.assert_allclose(alone.vertices, both.vertices, atol=away / 20)


def spoil(image: Path, how: str) -> Path:
    """A damaged variant of an image."""
    path = image.with_name(f"{how}.png")
    if how == "opaque":
        with Image.open(image) as picture:
            picture.convert("RGB").save(path)
    elif how == "cut":
        path.write_bytes(image.read_bytes()[:-60])
    elif how == "oblong":
        with Image.open(image) as picture:
            picture.crop((0, 0, 20, 30)).save(path)
    elif how == "text":
        path.write_text("no picture")
    return path


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("opaque", "has the mode RGB, so no usable alpha; expected a square RGBA PNG"),
        ("cut", "cannot be decoded"),
        ("oblong", "is 20x30 pixels; expected a square RGBA PNG"),
        ("text", "cannot be decoded"),
        ("missing", "does not exist; expected a square RGBA PNG"),
    ],
)
def test_a_bad_image_leaves_the_folder_as_it_was(
    how: str, expected: str, image: Path, genren: Terminal, tmp_path: Path
):
    """One bad image among good ones is named, and nothing of the batch is written over what was there."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "photo.glb").write_text("old")
    bad = spoil(image, how)

    line = genren.refusal("reconstruct", image, bad, "--category", "cabinet", "--out", out)

    assert line.startswith(f"Error: {bad} {expected}")
    assert contents(out) == {"photo.glb": b"old"}


def test_images_of_one_name_are_refused(image: Path, genren: Terminal, tmp_path: Path):
    """Their results would overwrite each other."""
    (tmp_path / "b").mkdir()
    shutil.copy(image, tmp_path / "b" / "photo.png")

    line = genren.refusal("reconstruct", image, tmp_path / "b" / "photo.png", "--category", "cabinet", "--out", "out")

    assert line.startswith("Error: several images are named photo;")
    assert not Path("out").exists()


@pytest.mark.parametrize("command", ["reconstruct", "generate"])
def test_a_file_is_no_folder_to_write_into(command: str, image: Path, genren: Terminal):
    """`--out` names a folder; a file there is refused and stays whole."""
    before = image.read_bytes()

    code, _, err = genren.run(command, *([image] if command == "reconstruct" else []), "--category", "cabinet",
                              "--out", image)  # fmt: skip

    assert code == 2
    assert "is a file" in err.splitlines()[-1]
    assert image.read_bytes() == before


def test_generate_makes_different_meshes(project: Path, genren: Terminal, tmp_path: Path):
    """As many readable, coloured meshes with renders as asked for, no two alike."""
    lines = genren("generate", "--category", "cabinet", "--count", 3, "--out", tmp_path / "out")

    assert lines == [str(tmp_path / "out" / f"00{i}.glb") for i in range(3)]
    assert len(contents(tmp_path / "out")) == 6
    meshes = [load_mesh(Path(line)) for line in lines]
    assert [len(mesh.faces) for mesh in meshes] == [80] * 3
    assert np.abs(meshes[0].vertices - meshes[1].vertices).max() > 1e-4
    assert np.abs(meshes[0].face_colors - meshes[1].face_colors).max() > 1e-4


def test_the_same_sample_seed_gives_the_same_files(project: Path, genren: Terminal, tmp_path: Path):
    """Meshes and renders are equal byte for byte; another seed gives others."""
    for name, seed in (("one", 4), ("two", 4), ("other", 5)):
        genren("generate", "--category", "cabinet", "--count", 2, "--out", tmp_path / name, "--sample-seed", seed)

    one, two, other = (contents(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert all(one[name] != other[name] for name in one if name.endswith(".glb"))


def test_doctor_says_what_is_there(genren: Terminal):
    """Versions, devices and both back ends, each on a line, and how to get what is missing."""
    lines = genren("doctor")

    findings = dict(line.split(": ", maxsplit=1) for line in lines)
    assert findings["torch"].startswith(torch.__version__.split("+")[0])
    assert {"genren", "python", "warp-lang", "dvc", "cuda device", "cpu threads"} <= findings.keys()
    assert findings["renderer warp"].startswith("ready")
    assert re.search(r"found|pip install kaolin", findings["renderer kaolin"])


def test_doctor_goes_on_where_something_is_missing(genren: Terminal, monkeypatch: pytest.MonkeyPatch):
    """Without torch it says how to get torch, instead of failing for lack of it; the placeholder is no Kaolin."""
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "torch":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "kaolin" else real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)

    lines = genren("doctor")

    assert "torch: missing; pip install -c constraints.txt -e ." in lines
    assert not any(line.startswith(("cuda", "renderer warp")) for line in lines)
    assert lines[-1].startswith("renderer kaolin: not found")
