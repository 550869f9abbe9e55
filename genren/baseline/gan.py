"""Training of the image-only baseline: WGAN-GP on 64 x 64 RGBA renders, as in the paper's comparison (method: 6.2)."""

import hashlib
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from rich.progress import Progress
from torch import Tensor

import genren
from genren import paths
from genren.data.batches import Batches
from genren.data.store import Store
from genren.errors import InputError
from genren.files import digest, replacing, replacing_folder, write_json
from genren.losses.critic import wasserstein
from genren.models.gan import ImageGenerator, save
from genren.models.image_critics import ResidualCritic
from genren.params import BaselineParams

FILE = "gan.safetensors"


def baseline(category: str, seed: int, params: BaselineParams, data: Path, out: Path) -> int:
    """Train a generator on the training images of the store in `data`; write `gan.safetensors` into the folder `out`.

    With `steps` 0 the folder only says that the baseline is off. An interrupted run continues where it stopped if
    settings, data and code are the same. Returns the number of generator steps taken by this call.
    """
    if params.steps == 0:
        with replacing_folder(out) as folder:
            write_json(folder / "off.json", {"category": category, "seed": seed, "steps": 0})
        return 0
    torch.manual_seed(seed)
    batches = Batches(Store.open(data), "train", params.batch_size)
    size = batches.images.shape[1]
    generator = ImageGenerator(params.noise, params.width, size)
    critic = ResidualCritic(4, size, params.width)
    betas = (params.beta1, params.beta2)
    of_generator = torch.optim.Adam(generator.parameters(), params.lr, betas)
    of_critic = torch.optim.Adam(critic.parameters(), params.lr, betas)
    parts = {"generator": generator, "critic": critic, "of_generator": of_generator, "of_critic": of_critic}
    resumable = paths.work(f"baseline-{category}-{seed}-{_key(params, data)}") / "state.pt"
    start = _resume(resumable, parts)

    with _stop_request() as asked, Progress() as bar:
        for step in bar.track(range(start, params.steps), description=f"baseline {category}-{seed}"):
            # The critic is kept ahead: its distance is only then one.
            for _ in range(params.critic_steps):
                real = batches.draw_images()
                with torch.no_grad():
                    fake = generator(torch.randn(len(real), params.noise))
                of_critic.zero_grad(set_to_none=True)
                loss = wasserstein(critic, real, fake)
                _check(loss, step, category)
                loss.backward()
                of_critic.step()

            # Critic parameters are left out of this graph.
            critic.requires_grad_(False)
            of_generator.zero_grad(set_to_none=True)
            loss = -critic(generator(torch.randn(params.batch_size, params.noise))).mean()
            _check(loss, step, category)
            loss.backward()
            of_generator.step()
            critic.requires_grad_(True)

            if asked or (step + 1) % params.checkpoint_every == 0:
                _save(resumable, step + 1, parts)
            if asked:
                raise SystemExit(f"stopped at step {step + 1} of {params.steps}; the same command continues from there")

    with replacing_folder(out) as folder:
        save(folder / FILE, generator, category, seed, params.steps)
    resumable.unlink(missing_ok=True)
    return params.steps - start


def _check(loss: Tensor, step: int, category: str) -> None:
    if not loss.isfinite():
        raise InputError(f"the baseline of {category} diverged at step {step}: loss {float(loss)}; lower baseline.lr")


def _key(params: BaselineParams, data: Path) -> str:
    """What a run that continues must share: settings, data and code."""
    code = digest(Path(genren.__file__).parent, "**/*.py")
    return hashlib.sha256((params.model_dump_json() + digest(data) + code).encode()).hexdigest()[:12]


def _save(path: Path, step: int, parts: dict[str, Any]) -> None:
    state = {name: part.state_dict() for name, part in parts.items()}
    with replacing(path) as temporary:
        torch.save({"step": step, "random": torch.get_rng_state(), **state}, temporary)


def _resume(path: Path, parts: dict[str, Any]) -> int:
    """Step to begin with: 0, or where an interrupted run stopped."""
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    for name, part in parts.items():
        part.load_state_dict(state[name])
    torch.set_rng_state(state["random"])
    return int(state["step"])


@contextmanager
def _stop_request() -> Iterator[list[int]]:
    """Turn SIGINT and SIGTERM into an entry of a list that the loop looks at between steps."""
    asked: list[int] = []

    def ask(number: int, frame: FrameType | None) -> None:
        asked.append(number)

    old = {number: signal.signal(number, ask) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield asked
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)
