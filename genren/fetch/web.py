"""Requests over HTTP: which addresses are allowed, how they are shown, and what is tried again.

Transport, pools, redirects and certificates are those of `requests`; what it leaves open is here: answers that break
off or stall halfway, servers that ignore ranges, and files that change between two requests.
"""

import re
import threading
import time
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

import requests

from genren.errors import InputError
from genren.params import DownloadParams

_T = TypeVar("_T")

# What may pass by itself: too many requests, and a server or gateway in trouble.
PASSING = {408, 425, 429, 500, 502, 503, 504}
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0  # seconds

TROUBLE = (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError)


class Passing(Exception):
    """A fault that may be gone at the next attempt."""


def is_url(location: str) -> bool:
    """Whether a location is an address rather than a path, which on some systems begins with a letter and a colon."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]+:", location) is not None


def shown(url: str) -> str:
    """The address as messages and tables may show it: without user, password, query and fragment."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    return f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path}"


def check_url(url: str) -> str:
    """The scheme of an address, in lower case; anything but http, https and file is an error."""
    scheme = urlsplit(url).scheme.lower()
    if scheme not in ("http", "https", "file"):
        raise InputError(f"{shown(url)} has the scheme {scheme!r}; expected http, https, file or a path")
    return scheme


def file_path(url: str) -> str:
    """Path of a file: address; one on another host is an error."""
    parts = urlsplit(url)
    if parts.hostname not in (None, "localhost"):
        raise InputError(f"{shown(url)} names the host {parts.hostname}; expected file:///path")
    return url2pathname(unquote(parts.path))


class Web:
    """Connections with the settings of `fetch.download`; safe to share among threads."""

    def __init__(self, params: DownloadParams) -> None:
        self.params = params
        self._local = threading.local()

    def get(self, url: str, headers: dict[str, str]) -> requests.Response:
        """Open a GET whose body is read by the caller; raises Passing for what may pass, InputError for the rest."""
        check_url(url)
        # Bytes as they lie on the server: a compressed transfer would shift ranges and lengths.
        headers = {"Accept-Encoding": "identity", **headers}
        try:
            response = self._session().get(url, headers=headers, stream=True, timeout=self.params.timeout)
        except TROUBLE as error:
            raise Passing(type(error).__name__) from None
        except requests.RequestException as error:  # its text may hold the whole address
            raise InputError(f"{shown(url)} cannot be fetched ({type(error).__name__}); check the address") from None
        if response.status_code in PASSING:
            response.close()
            raise Passing(f"HTTP {response.status_code}")
        if response.status_code >= 400 and response.status_code != 416:
            response.close()
            raise InputError(
                f"{shown(url)} answers HTTP {response.status_code}; check the address in params.yaml, or point it at a "
                "local copy"
            )
        return response

    def persist(self, url: str, attempt: Callable[[], _T], progress: Callable[[], int] = lambda: 0) -> _T:
        """Call `attempt` until it does not raise Passing, `fetch.download.retries` times beyond the first.

        Pauses double. An attempt that moved `progress` on is not counted: a large file may need many.
        """
        failures = 0
        while True:
            before = progress()
            try:
                return attempt()
            except Passing as fault:
                failures = 0 if progress() > before else failures + 1
                if failures > self.params.retries:
                    raise InputError(
                        f"{shown(url)} failed {failures} times, the last with {fault}; try again later, or raise "
                        "fetch.download.retries or timeout"
                    ) from None
                time.sleep(min(FIRST_PAUSE * 2 ** max(failures - 1, 0), LONGEST_PAUSE))

    def _session(self) -> requests.Session:
        # Sessions are not made for sharing among threads.
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
        session: requests.Session = self._local.session
        return session


def content_range(response: requests.Response) -> tuple[int, int] | None:
    """First byte and size of the whole file from Content-Range, None where it is absent or does not say them."""
    match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
    return (int(match[1]), int(match[2])) if match else None


class RangeReader:
    """Parts of a file on a server, by range requests; nothing is ever read beyond what was asked for."""

    def __init__(self, web: Web, url: str) -> None:
        self.web, self.url = web, url
        self.tag: str | None = None
        self.size = web.persist(url, lambda: self._open(0, 1)[1])

    def read(self, start: int, stop: int) -> bytes:
        """Bytes [start, stop)."""
        return self.web.persist(self.url, lambda: self._open(start, stop)[0])

    def _open(self, start: int, stop: int) -> tuple[bytes, int]:
        with self.web.get(self.url, {"Range": f"bytes={start}-{stop - 1}"}) as response:
            place = content_range(response)
            if response.status_code != 206 or place is None or place[0] != start:
                raise InputError(
                    f"{shown(self.url)} does not answer range requests; download it whole and point params.yaml at "
                    "the file"
                )
            tag = response.headers.get("ETag") or response.headers.get("Last-Modified")
            if tag != (self.tag or tag):
                raise InputError(f"{shown(self.url)} changed while it was read; fetch again")
            self.tag = tag
            try:
                # One byte more than asked for would show a server that sends too much, without taking it all.
                data = response.raw.read(stop - start + 1, decode_content=False)
            except Exception as error:  # urllib3's own errors, which requests does not translate here
                raise Passing(type(error).__name__) from None
        if len(data) != stop - start:
            raise Passing(f"{len(data)} of {stop - start} bytes")
        return data, place[1]
