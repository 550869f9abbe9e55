"""What all tests share: the folder of reference values, where it exists, and quiet threads."""

from pathlib import Path

import pytest
import torch

from genren import params
from genren.fetch import fetch
from genren.params import TrainParams
from genren.preprocess import preprocess

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"


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


@pytest.fixture(scope="session")
def tiny_params() -> TrainParams:
    """The mini preset shrunk until a step takes milliseconds; every network, term and stage is still there."""
    small = {
        "preset": "mini",
        "batch_size": 4,
        "points": 32,
        "projections": 4,
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
            "critic_width": 16,
            "shape_critic_hidden": [16, 8],
        },
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
