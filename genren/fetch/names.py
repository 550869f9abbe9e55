"""Names inside archives: what is refused before anything is read."""

import re
from pathlib import PurePosixPath

from genren.categories import SYNSETS
from genren.errors import InputError


def check_name(archive: str, name: str) -> str:
    """A member's name if it stays inside of where the archive is unpacked."""
    path = PurePosixPath(name)
    if (
        not name
        or "\0" in name
        or "\\" in name
        or path.is_absolute()
        or ".." in path.parts
        or re.match(r"[A-Za-z]:", name)
    ):
        raise InputError(f"{archive} has a member {name!r} that would leave its folder; get the archive anew")
    return name.removeprefix("./")


def is_below(name: str, folder: str) -> bool:
    """Whether a file lies in a folder of that name, at any depth, or its own name begins with `folder_`."""
    return f"/{folder}/" in f"/{name}" or PurePosixPath(name).name.startswith(f"{folder}_")


def model_elsewhere(name: str, synset: str) -> str | None:
    """The model that a file belongs to, if that is listed under a smaller synset of the thirteen."""
    found = re.search(r"(?:^|/)(\d{8})[/_]([^/_]+)", name)
    return found[2] if found and found[1] in SYNSETS.values() and found[1] < synset else None
