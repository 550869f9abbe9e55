"""Files of pretrained weights: from a path or a URL, and never opened before their full sha256 is right."""

import hashlib
import shutil
import urllib.request
from pathlib import Path

import torch
from torch import Tensor

from genren import paths
from genren.errors import InputError
from genren.files import replacing

SCHEMES = ("https://", "http://", "file://")


def checked(name: str, source: str, sha256: str) -> Path:
    """The local file of the weights `name`, whose content has the digest `sha256` (64 hex digits).

    A URL is downloaded once into the project's work folder. Raises InputError for a missing file, a failed download,
    and another digest: pickled weights can run code, so a file that is not the expected one is not touched further.
    """
    digits = sha256.lower()
    if len(digits) != 64 or set(digits) - set("0123456789abcdef"):
        raise InputError(f"the sha256 of {name} must be 64 hex digits, got {sha256!r}; a prefix is not enough")
    path = Path(source)
    if source.startswith(SCHEMES):
        path = paths.work("weights") / f"{name}-{digits[:16]}.pth"
        if not path.exists() or _digest(path) != digits:
            _download(name, source, digits, path)
    if not path.is_file():
        raise InputError(f"the weights of {name} are not at {path}; expected a file or a URL")
    found = _digest(path)
    if found != digits:
        raise InputError(f"the weights of {name} at {path} have sha256 {found}, expected {digits}; not loaded")
    return path


def load_state(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a file that `checked` returned; pickles of anything but tensors are refused."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever a strange pickle raises
        raise InputError(f"{path} cannot be read as weights ({str(error).splitlines()[0]})") from None
    if not isinstance(state, dict) or not all(isinstance(value, Tensor) for value in state.values()):
        raise InputError(f"{path} holds {type(state).__name__}, expected tensors by name")
    return state


def _download(name: str, url: str, digits: str, path: Path) -> None:
    """Fetch to a temporary name; only what has the right digest gets the final one."""
    with replacing(path) as temporary:
        try:
            with urllib.request.urlopen(url, timeout=60) as answer, temporary.open("wb") as file:  # noqa: S310
                shutil.copyfileobj(answer, file)
        except OSError as error:
            raise InputError(f"the weights of {name} cannot be fetched from {url} ({error})") from None
        found = _digest(temporary)
        if found != digits:
            raise InputError(f"the weights of {name} from {url} have sha256 {found}, expected {digits}; not kept")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
