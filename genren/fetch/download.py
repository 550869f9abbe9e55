"""Whole files over HTTP: resumed where they broke off, verified, and renamed into place when they are."""

import hashlib
import json
import shutil
from pathlib import Path
from urllib.parse import unquote, urlsplit

import requests
from filelock import FileLock
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

from genren.errors import InputError
from genren.fetch.checksums import Checksums
from genren.fetch.web import TROUBLE, Passing, Web, check_url, content_range, file_path, shown
from genren.files import write_json

CHUNK = 1 << 20  # bytes


def download(url: str, folder: Path, web: Web, checksums: Checksums) -> Path:
    """The file behind `url`, below `folder`; a `file:` address is its own file.

    A file that is already there is not fetched again. One whose bytes are not what `checksums` knows is fetched once
    more from the start, and then an error.
    """
    if check_url(url) == "file":
        return Path(file_path(url))
    # The address's own digest tells two files of one name apart; it is of the shown part, so that tokens may change.
    name = Path(unquote(urlsplit(url).path)).name or "download"
    path = folder / f"{hashlib.sha256(shown(url).encode()).hexdigest()[:8]}-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_name(path.name + ".lock")):
        part, note = path.with_name(path.name + ".part"), path.with_name(path.name + ".json")
        if path.is_file() and _recorded(path, note) == checksums.known(shown(url)):
            return path
        for last in (False, True):
            if not path.is_file():
                with _bar() as bar:
                    _fetch(url, part, web, bar)
                part.replace(path)
                _state(part).unlink(missing_ok=True)
            try:
                verify(path, shown(url), checksums)
                return path
            except InputError:
                path.unlink()
                if last:
                    raise
    raise AssertionError("the second round returns or raises")


def verify(path: Path, address: str, checksums: Checksums) -> None:
    """Hash a file, compare with what is known of `address` or record it, and note that it has been done."""
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    checksums.verify(address, path.stat().st_size, sha256)
    stat = path.stat()
    write_json(
        path.with_name(path.name + ".json"), {"bytes": stat.st_size, "mtime_ns": stat.st_mtime_ns, "sha256": sha256}
    )


def _recorded(path: Path, note: Path) -> tuple[int, str] | None:
    """Size and hash that were verified for a file as it lies there, so that 12 GB need not be hashed 13 times."""
    try:
        values, stat = json.loads(note.read_text()), path.stat()
        fresh = (values["bytes"], values["mtime_ns"]) == (stat.st_size, stat.st_mtime_ns)
        return (values["bytes"], values["sha256"]) if fresh else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _state(part: Path) -> Path:
    return part.with_name(part.name + ".tag")


def _fetch(url: str, part: Path, web: Web, bar: Progress) -> None:
    """Fill `part` from where it ends until the file is whole."""
    task = bar.add_task(part.name.removesuffix(".part"), total=None)

    def have() -> int:
        return part.stat().st_size if part.is_file() else 0

    def attempt() -> None:
        start, tag = have(), _state(part)
        known = tag.read_text() if tag.is_file() else ""
        # Without a tag nothing says that the rest belongs to what is there.
        headers = {"Range": f"bytes={start}-", "If-Range": known} if start and known else {}
        with web.get(url, headers) as response:
            place = content_range(response)
            if response.status_code == 416:  # more is there than the file has
                part.unlink(missing_ok=True)
                raise Passing("HTTP 416")
            resumed = response.status_code == 206 and place is not None and place[0] == start
            if response.status_code == 206 and not resumed:
                part.unlink(missing_ok=True)
                raise Passing("another range than asked for")
            # A server that ignores ranges, or whose file has changed, sends all of it: so from the start.
            length = response.headers.get("Content-Length", "")
            size = place[1] if resumed and place else int(length) if length.isdigit() else None
            start = start if resumed else 0
            _check_space(url, part, (size or 0) - start)
            etag = response.headers.get("ETag", "")
            tag.write_text("" if etag.startswith("W/") else etag or response.headers.get("Last-Modified", ""))
            bar.update(task, total=size, completed=start)
            with part.open("ab" if resumed else "wb") as stream:
                try:
                    for chunk in response.iter_content(CHUNK):
                        stream.write(chunk)
                        bar.advance(task, len(chunk))
                except (*TROUBLE, requests.RequestException) as error:
                    raise Passing(type(error).__name__) from None
        if size is not None and have() < size:
            raise Passing(f"{have()} of {size} bytes")
        if size is not None and have() > size:
            part.unlink()
            raise Passing("more bytes than announced")

    web.persist(url, attempt, have)


def _check_space(url: str, part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed > free:
        raise InputError(
            f"{shown(url)} needs {needed / 1e9:.1f} GB more, {part.parent} has {free / 1e9:.1f} GB free; set "
            "fetch.download.folder to a larger disk"
        )


def _bar() -> Progress:
    """Bytes, rate and time left."""
    return Progress(
        TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn()
    )
