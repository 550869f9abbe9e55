"""A server, patient settings, and the same few models in every format that the data sets come in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from genren.fetch import web
from genren.fetch.checksums import Checksums
from genren.fetch.trees import Downloads
from genren.params import DownloadParams
from tests.fetch.server import Server, serving
from tests.fetch.world import World, make_world


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """A server on loopback; no proxy comes between, and pauses between attempts are short."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(web, "FIRST_PAUSE", 0.001)
    with serving() as running:
        yield running


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Downloads and checksums of a test are its own."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))


@pytest.fixture
def downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Downloads:
    """Downloads into a project of their own; a silent second counts as a stall."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path))
    return Downloads(DownloadParams(folder="downloads", parallel=4, retries=3, timeout=0.5))


@pytest.fixture
def checksums(tmp_path: Path) -> Checksums:
    """The table that `downloads` writes."""
    return Checksums(tmp_path / "data" / "checksums.csv")


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Three generated cabinets, rendered by our own renderer in the protocol of 3D-R2N2."""
    return make_world(tmp_path_factory.mktemp("world"))
