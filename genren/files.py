"""Writing files so that a crash leaves either the old content or the new one, never half of it."""

import errno
import hashlib
import json
import math
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from genren.errors import InputError

# The mask can be read by setting it alone, which is not safe later, when there may be threads.
_UMASK = os.umask(0o022)
os.umask(_UMASK)


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary file name beside `path`; rename it to `path` if the block ends well.

    A full disk is an InputError that says what is still there: all that was before.
    """
    with _room(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            # On disk before it takes the old one's place: some file systems notice only now that they are full.
            with temporary.open("rb") as file:
                os.fsync(file.fileno())
            # mkstemp makes the file private; the result gets the rights any new file would have.
            temporary.chmod(0o666 & ~_UMASK)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Yield a temporary folder beside `path`; put it in the place of `path` if the block ends well."""
    with _room(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
        try:
            yield temporary
            _put_in_place(temporary, path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _room(path: Path) -> Iterator[None]:
    """Turn what a full disk makes fail into a sentence."""
    try:
        yield
    except Exception as error:
        # Writers in other languages have errors of their own, which carry the system's words; inner files have ours.
        words = f"{error} {error.__cause__}"
        if not any(os.strerror(code) in words for code in (errno.ENOSPC, errno.EDQUOT)):
            raise
        raise InputError(f"the disk is full, {path} is what it was before; free some space and try again") from error


@contextmanager
def resuming_folder(path: Path, key: str) -> Iterator[Path]:
    """As `replacing_folder`, but an interrupted block finds next time what it had written, if its `key` is the same.

    A block that ends in an InputError was not interrupted, but refused: it leaves nothing behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    note = path.with_name(f".{path.name}.key")
    if not note.is_file() or note.read_text() != key:
        shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(exist_ok=True)
    note.write_text(key)
    with _room(path):
        try:
            yield partial
            _put_in_place(partial, path)
        except InputError:
            shutil.rmtree(partial, ignore_errors=True)
            note.unlink()
            raise
    note.unlink()


def _put_in_place(new: Path, path: Path) -> None:
    """Rename the folder `new` to `path`. One cannot go over another: the old one steps aside, and back on failure."""
    new.chmod(0o777 & ~_UMASK)
    old = new.with_name(new.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if path.exists():
        path.rename(old)
    try:
        new.rename(path)
    except OSError:
        if old.exists():
            old.rename(path)
        raise
    shutil.rmtree(old, ignore_errors=True)


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically. Not-a-number becomes null, as JSON has no word for it."""
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(_plain(value), indent=2, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file; a missing or broken one is an error that names it."""
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; run the stage that writes it") from None
    except json.JSONDecodeError as error:
        raise InputError(f"{path} is not valid JSON ({error}); delete it and run the stage that writes it") from None


def digest(folder: Path, pattern: str = "*") -> str:
    """Hash of the files in a folder that match, names and contents."""
    total = hashlib.sha256()
    for path in sorted(folder.glob(pattern)):
        if path.is_file():
            with path.open("rb") as file:
                total.update(path.name.encode() + hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()


def _plain(value: Any) -> Any:
    """Nested values without not-a-number, which JSON cannot hold."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and math.isnan(value):
        return None
    return value
