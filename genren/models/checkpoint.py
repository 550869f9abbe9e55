"""Finished models on disk: safetensors, with everything that says what they are in the header."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from genren import __version__
from genren.errors import InputError
from genren.files import replacing
from genren.models.model import GenerativeRenderer
from genren.params import TrainParams, parse


@dataclass(frozen=True)
class Checkpoint:
    """A trained model of one category and the run it came from."""

    model: GenerativeRenderer  # on the CPU, in evaluation mode
    category: str
    seed: int
    step: int
    params: TrainParams
    code_version: str


def save(path: Path, model: GenerativeRenderer, category: str, seed: int, step: int, params: TrainParams) -> None:
    """Write a checkpoint, atomically."""
    described = {
        "version": __version__,
        "category": category,
        "seed": seed,
        "step": step,
        "params": params.model_dump(mode="json"),
    }
    # Under one key: safetensors writes keys in an order that changes from run to run.
    header = {"genren": json.dumps(described, sort_keys=True)}
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def load(path: Path, category: str | None = None, expected: TrainParams | None = None) -> Checkpoint:
    """Read a checkpoint; raise InputError if it is missing, broken, or not of `category` or the `expected` settings."""
    if not path.is_file():
        raise InputError(f"checkpoint {path} does not exist; train one with `genren train --category ...`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError) as error:
        raise InputError(f"checkpoint {path} cannot be read ({error}); train it again") from None
    header = _described(path, metadata)
    if category is not None and header["category"] != category:
        raise InputError(f"checkpoint {path} is of category {header['category']!r}, expected {category!r}")
    params = parse(TrainParams, header["params"], f"checkpoint {path}")
    if expected is not None:
        _compare(path, params, expected)
    model = GenerativeRenderer(params.model)
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise InputError(f"checkpoint {path} does not fit its own settings: {' '.join(str(error).split())}") from None
    model.eval()
    return Checkpoint(model, header["category"], header["seed"], header["step"], params, header["version"])


def _described(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    """What `save` wrote about a checkpoint."""
    try:
        header: dict[str, Any] = json.loads(metadata["genren"])
        missing = {"version", "category", "seed", "step", "params"} - header.keys()
    except (KeyError, AttributeError, json.JSONDecodeError):
        raise InputError(f"checkpoint {path} does not say what it is; it was not written by genren") from None
    if missing:
        raise InputError(f"checkpoint {path} lacks {sorted(missing)} in its header; it was not written by genren")
    return header


def _compare(path: Path, found: TrainParams, expected: TrainParams) -> None:
    """Raise if the checkpoint's preset or networks are not those the caller's settings describe."""
    if found.preset != expected.preset:
        raise InputError(
            f"checkpoint {path} is of preset {found.preset!r}, params.yaml says {expected.preset!r};"
            f" set train.preset to {found.preset} or train again"
        )
    for name in type(found.model).model_fields:
        have, want = getattr(found.model, name), getattr(expected.model, name)
        if have != want:
            raise InputError(
                f"checkpoint {path} has train.model.{name} {have}, params.yaml says {want};"
                f" set it to {have} or train again"
            )
