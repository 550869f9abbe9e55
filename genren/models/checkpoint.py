"""Finished models on disk: safetensors, with everything that says what they are in the header."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from genren import __version__
from genren.errors import InputError
from genren.files import replacing
from genren.geometry.sphere import Template
from genren.models.model import TEMPLATE, GenerativeRenderer
from genren.params import TrainParams, parse

# Settings of how a run was carried out, which leave the model what it is.
INCIDENTAL = ("train.engine", "train.render.backend", "train.checkpoint_every", "train.log_every", "train.keep_stages")


@dataclass(frozen=True)
class Checkpoint:
    """A trained model of one category and the run it came from."""

    model: GenerativeRenderer  # on the CPU, in evaluation mode
    category: str
    seed: int
    step: int  # 0 where it is not known: imported weights do not say
    params: TrainParams
    code_version: str
    source: str | None = None  # the file that imported weights came from


def save(
    path: Path,
    model: GenerativeRenderer,
    category: str,
    seed: int,
    step: int,
    params: TrainParams,
    source: str | None = None,
) -> None:
    """Write a checkpoint, atomically: after a full disk or an interruption the old one is still there."""
    described = {
        "version": __version__,
        "category": category,
        "seed": seed,
        "step": step,
        "params": params.model_dump(mode="json"),
        "source": source,
    }
    # Under one key: safetensors writes keys in an order that changes from run to run.
    header = {"genren": json.dumps(described, sort_keys=True)}
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in model.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata=header)


def load(path: Path, category: str | None = None, expected: TrainParams | None = None) -> Checkpoint:
    """Read a checkpoint; nothing is unpickled.

    Raises InputError if it is missing, broken, written by another version, not of `category`, or if its settings are
    not the `expected` ones; the message names what differs.
    """
    if not path.is_file():
        raise InputError(f"checkpoint {path} does not exist; train one with `genren train --category ...`")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
    except (SafetensorError, OSError) as error:
        raise InputError(f"checkpoint {path} cannot be read ({error}); train it again") from None
    header = _described(path, metadata)
    _check_version(path, header["version"])
    if category is not None and header["category"] != category:
        raise InputError(
            f"checkpoint {path} is of category {header['category']!r}, expected {category!r};"
            f" use --category {header['category']} or another checkpoint"
        )
    params = parse(TrainParams, header["params"], f"checkpoint {path}, written by genren {header['version']}")
    if expected is not None:
        _compare(path, params, expected)
    model = GenerativeRenderer(params.model, template_of(tensors, path))
    problem = misfits(model, tensors)
    if problem:
        raise InputError(f"checkpoint {path} does not fit its own settings: {problem}; train it again")
    model.load_state_dict(tensors)
    model.eval()
    return Checkpoint(
        model, header["category"], header["seed"], header["step"], params, header["version"], header["source"]
    )


def misfits(module: nn.Module, tensors: dict[str, Tensor]) -> str:
    """What keeps `tensors` from being the module's state: missing and unknown names, other shapes; '' for nothing."""
    expected = module.state_dict()
    shared = expected.keys() & tensors.keys()
    shapes = [
        f"{name} is {tuple(tensors[name].shape)}, expected {tuple(expected[name].shape)}"
        for name in expected
        if name in shared and tensors[name].shape != expected[name].shape
    ]
    missing = [name for name in expected if name not in shared]
    unknown = [name for name in tensors if name not in shared]
    problems = [f"{what} {shortened(names)}" for what, names in (("missing", missing), ("unknown", unknown)) if names]
    return "; ".join([*problems, *([shortened(shapes)] if shapes else [])])


def shortened(names: list[str], count: int = 3) -> str:
    """The first of some names, and how many more there are."""
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


def differences(found: Any, expected: Any, place: str) -> Iterator[tuple[str, Any, Any]]:
    """Place, found and expected value of all settings that differ, section by section."""
    if found == expected or place in INCIDENTAL:
        return
    if isinstance(found, BaseModel):
        found, expected = dict(found), dict(expected)
    if isinstance(found, dict):
        for name in found | expected:
            yield from differences(found.get(name), expected.get(name), f"{place}.{name}")
    else:
        yield place, found, expected


def template_of(tensors: dict[str, Tensor], path: Path) -> Template:
    """The template that a checkpoint carries."""
    missing = [f"template_{name}" for name in TEMPLATE if f"template_{name}" not in tensors]
    if missing:
        raise InputError(f"checkpoint {path} lacks {shortened(missing)}; train it again")
    return Template(**{name: tensors[f"template_{name}"] for name in TEMPLATE})


def _described(path: Path, metadata: dict[str, str]) -> dict[str, Any]:
    """What `save` wrote about a checkpoint."""
    try:
        header: dict[str, Any] = json.loads(metadata["genren"])
        missing = {"version", "category", "seed", "step", "params"} - header.keys()
    except (KeyError, AttributeError, json.JSONDecodeError):
        raise InputError(f"checkpoint {path} does not say what it is; it was not written by genren") from None
    if missing:
        raise InputError(f"checkpoint {path} lacks {sorted(missing)} in its header; it was not written by genren")
    return {"source": None} | header


def _check_version(path: Path, found: str) -> None:
    """Raise unless the checkpoint's version is this one but for the last number: networks may have changed since."""
    if found.split(".")[:2] != __version__.split(".")[:2]:
        raise InputError(
            f"checkpoint {path} was written by version {found} of genren, this is {__version__};"
            f" use genren {found} for it, or train it again"
        )


def _compare(path: Path, found: TrainParams, expected: TrainParams) -> None:
    """Raise if the checkpoint's settings are not the caller's."""
    if found.preset != expected.preset:
        raise InputError(
            f"checkpoint {path} is of preset {found.preset!r}, params.yaml says {expected.preset!r};"
            f" set train.preset to {found.preset} or train again"
        )
    differing = [
        f"{name} {have}, params.yaml says {want}" for name, have, want in differences(found, expected, "train")
    ]
    if differing:
        raise InputError(
            f"checkpoint {path} has {shortened(differing)}; set what the checkpoint has, train again, or name the"
            " checkpoint with --checkpoint to take it as it is"
        )
