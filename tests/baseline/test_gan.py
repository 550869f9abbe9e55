"""The image-only baseline: it learns, continues, can be off, and its file says what it is."""

from pathlib import Path

import pytest
import torch

from genren.baseline import baseline
from genren.data.batches import to_tensor
from genren.data.store import Store
from genren.errors import InputError
from genren.models import gan
from genren.params import BaselineParams

PARAMS = BaselineParams(
    steps=3, critic_steps=2, batch_size=8, noise=8, width=16, lr=1e-3, beta1=0, beta2=0.9, checkpoint_every=1
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Unfinished runs stay in the test's folder."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path / "project"))


def generate(folder: Path) -> torch.Tensor:
    """Images of the trained generator, always from the same noise."""
    generator = gan.load(folder / "gan.safetensors", "cabinet", 32)
    with torch.no_grad():
        images: torch.Tensor = generator(torch.randn(64, generator.noise, generator=torch.Generator().manual_seed(0)))
    return images


def test_images_are_as_the_renderer_makes_them() -> None:
    """RGB over black in [-1, 1], alpha in [0, 1], no colour where nothing is, of the size that is asked for."""
    images = gan.ImageGenerator(8, 32, 64)(torch.randn(4, 8))

    assert images.shape == (4, 4, 64, 64)
    assert bool(((images[:, 3] >= 0) & (images[:, 3] <= 1)).all())
    assert bool(((images[:, :3] + 1) / 2 <= images[:, 3:] + 1e-6).all())


def test_some_steps_come_nearer_to_the_data(tiny_store: Path, tmp_path: Path) -> None:
    """After some seconds of training the mean image is nearer to that of the renders than after one small step."""
    store = Store.open(tiny_store)
    real = to_tensor(torch.from_numpy(store.images[store.images_of("train")].copy())).mean(0)
    for name, steps, lr in (("start", 1, 1e-6), ("later", 70, 2e-3)):
        params = PARAMS.model_copy(update={"steps": steps, "lr": lr, "checkpoint_every": 100})
        baseline("cabinet", 0, params, tiny_store, tmp_path / name)

    def error(folder: str) -> float:
        return float((generate(tmp_path / folder).mean(0) - real).abs().mean())

    assert error("later") < 0.8 * error("start")


def test_an_interrupted_run_continues_to_the_same_weights(
    tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Broken off after its second step and called again, it ends as one that was left alone."""
    baseline("cabinet", 0, PARAMS, tiny_store, tmp_path / "whole")
    real_check, calls = __import__("genren.baseline.gan", fromlist=["_check"])._check, []

    def check(*arguments: object) -> None:
        calls.append(arguments)
        if len(calls) == 7:  # three losses a step: the third step's first
            raise KeyboardInterrupt
        real_check(*arguments)

    monkeypatch.setattr("genren.baseline.gan._check", check)
    with pytest.raises(KeyboardInterrupt):
        baseline("cabinet", 0, PARAMS, tiny_store, tmp_path / "parts")
    monkeypatch.undo()
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path / "project"))

    assert baseline("cabinet", 0, PARAMS, tiny_store, tmp_path / "parts") == 1
    assert torch.equal(generate(tmp_path / "whole"), generate(tmp_path / "parts"))


def test_off_is_off(tiny_store: Path, tmp_path: Path) -> None:
    """With no steps the stage leaves a note and no generator, without a look at the data."""
    out = tmp_path / "out"

    assert baseline("cabinet", 0, PARAMS.model_copy(update={"steps": 0}), tmp_path / "nowhere", out) == 0
    assert [path.name for path in out.iterdir()] == ["off.json"]


def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    """Another category, another size and another kind of file are each named."""
    path = tmp_path / "gan.safetensors"
    gan.save(path, gan.ImageGenerator(8, 16, 32), "chair", 0, 5)

    with pytest.raises(InputError, match="makes 'chair' images of 32 pixels, expected 'cabinet' of 64"):
        gan.load(path, "cabinet", 64)
    path.write_bytes(b"nothing")
    with pytest.raises(InputError, match="cannot be read as an image generator"):
        gan.load(path, "cabinet", 64)
