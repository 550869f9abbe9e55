"""What all tests share: reference values, a tiny model and store, a terminal, and the same random state."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from PIL import Image

from genren import cli, params, paths
from genren.data.store import Store
from genren.fetch import fetch
from genren.models import checkpoint
from genren.models.model import GenerativeRenderer
from genren.params import TrainParams
from genren.preprocess import preprocess

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked `gpu` where there is none."""
    if item.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("needs a CUDA device")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of golden values and real meshes beside the repository; tests that need it skip without it."""
    if not SHARED.is_dir():
        pytest.skip(f"needs the reference folder {SHARED.name}/ beside the repository")
    return SHARED


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Every test starts from the same random state."""
    torch.manual_seed(0)


def preset(name: str, category: str | None = None, **over: object) -> TrainParams:
    """A preset's settings, with some of them replaced."""
    return params.parse(params.TrainParams, params.with_preset({"preset": name, **over}, "tests", category), "tests")


@pytest.fixture(scope="session")
def tiny_params() -> TrainParams:
    """The mini preset shrunk until a step takes milliseconds; every network, term and stage is still there."""
    small = {
        "preset": "mini",
        "batch_size": 4,
        "points": 32,
        "surface_samples": 32,
        "projections": 4,
        "xi_t_projections": 4,
        "pose_buffer": 8,
        "checkpoint_every": 2,
        "log_every": 1,
        "model": {
            "img_size": 32,
            "texture_size": 32,
            "subdivisions": 2,
            "dim_v": 6,
            "dim_xi_t": 5,
            "dim_xi_p": 4,
            "dim_embedding": 16,
            "point_width": 4,
            "deformation_hidden": [16],
            "backbone_width": 4,
            "conditioning_hidden": [8, 8],
            "texture_hidden": [16, 16, 8],
            "texture_width": 16,
        },
        "critics": {"width": 16, "shape_hidden": [16, 8]},
        "stages": {"autoencoder": 2, "randomised": 2, "mode1": 2, "mode2": 2, "mode3": 2, "annealing": 2},
    }
    return params.parse(params.TrainParams, params.with_preset(small, "tests"), "tests")


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A packed store of a dozen real procedural cabinets with two views each, made by the real steps."""
    folder = tmp_path_factory.mktemp("tiny")
    fetching = params.load(ROOT / "params.yaml").fetch.model_copy(
        update={"models": 12, "views": 2, "image_size": 48, "points": 1500}
    )
    packing = params.load(ROOT / "params.yaml").preprocess.model_copy(
        update={"img_size": 32, "points": 1000, "train": 0.6, "val": 0.1, "test": 0.3}
    )
    fetch("cabinet", fetching, folder / "raw")
    preprocess("cabinet", packing, folder / "raw", folder / "processed")
    return folder / "processed"


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


@pytest.fixture(scope="session")
def made(tiny_params: TrainParams, tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project root with tiny settings, a packed store and a random model of cabinets."""
    root = tmp_path_factory.mktemp("project")
    settings = yaml.safe_load((ROOT / "params.yaml").read_text())
    settings["categories"] = ["cabinet"]
    settings["train"] = tiny_params.model_dump(mode="json")
    small = {"surface_points": 300, "queries": 100, "close_points": 600, "close_queries": 100, "emd_points": 64}
    settings["evaluate"] |= small | {"set_points": 100, "mean_shape_steps": 2, "pictures": 1}
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


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte of its own; tests that need it skip where none can be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if not shutil.which("mount") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("needs the right to mount a file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
