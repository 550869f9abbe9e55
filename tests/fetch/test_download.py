"""Whole files over a network that fails in every way, from a real server on loopback."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from genren.errors import InputError
from genren.fetch import download as module
from genren.fetch.checksums import Checksums
from genren.fetch.trees import Downloads
from tests.fetch.server import Server

DATA = np.random.default_rng(0).bytes(300_000)


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many chunks."""
    monkeypatch.setattr(module, "CHUNK", 10_000)


def test_a_file_arrives_once_and_is_recorded(server: Server, downloads: Downloads, checksums: Checksums):
    """The bytes are there under a name of their own, the checksum is recorded, and a second call asks for nothing."""
    server.files["/a/data.tgz"] = DATA
    path = downloads.file(f"{server.url}/a/data.tgz")

    assert path.read_bytes() == DATA
    assert path.name.endswith("-data.tgz")
    assert checksums.known(f"{server.url}/a/data.tgz") == (len(DATA), hashlib.sha256(DATA).hexdigest())
    assert downloads.file(f"{server.url}/a/data.tgz") == path
    assert len(server.requests) == 1
    assert {file.name.partition("-data.tgz")[2] for file in path.parent.iterdir()} == {"", ".json", ".lock"}


@pytest.mark.parametrize("fault", ["drop", "stall"])
def test_a_broken_transfer_goes_on_where_it_was(server: Server, downloads: Downloads, fault: str):
    """After a lost or silent connection only the rest is asked for, and no byte is sent twice."""
    server.files["/data"] = DATA
    server.faults["/data"] = [fault, fault]

    assert downloads.file(f"{server.url}/data").read_bytes() == DATA
    ranges = [asked for _, asked in server.requests]
    assert ranges[0] is None
    assert [int(asked.removeprefix("bytes=").rstrip("-")) > 0 for asked in ranges[1:] if asked] == [True, True]
    # A chunk that was on its way when the connection went is lost.
    assert server.sent <= len(DATA) + 2 * 10_000


def test_a_later_run_goes_on_too(server: Server, downloads: Downloads):
    """What one process left, the next continues."""
    server.files["/data"] = DATA
    server.faults["/data"] = ["drop", 500, 500, 500, 500]
    with pytest.raises(InputError, match=r"failed 4 times, the last with HTTP 500; try again later"):
        downloads.file(f"{server.url}/data")

    assert downloads.file(f"{server.url}/data").read_bytes() == DATA
    assert server.requests[-1][1] not in (None, "bytes=0-")


@pytest.mark.parametrize("how", ["ranges", "etags"])
def test_a_server_without_ranges_or_tags_starts_over(server: Server, downloads: Downloads, how: str):
    """Where the rest cannot be asked for, or nothing says that it belongs to what is there, all of it comes again."""
    setattr(server, how, False)
    server.files["/data"] = DATA
    server.faults["/data"] = ["drop"]

    assert downloads.file(f"{server.url}/data").read_bytes() == DATA


def test_a_file_that_changed_in_between_starts_over(server: Server, downloads: Downloads):
    """Half of the old and half of the new file never meet."""
    server.files["/data"] = DATA
    server.faults["/data"] = ["drop", 500, 500, 500, 500]
    with pytest.raises(InputError):
        downloads.file(f"{server.url}/data")
    server.files["/data"] = DATA[::-1]

    assert downloads.file(f"{server.url}/data").read_bytes() == DATA[::-1]


def test_wrong_bytes_are_fetched_again_and_then_refused(server: Server, downloads: Downloads, checksums: Checksums):
    """What does not match its checksum is never left under its name; a second wrong answer is an error."""
    server.files["/data"] = DATA
    checksums.verify(f"{server.url}/data", len(DATA), hashlib.sha256(DATA).hexdigest())
    server.faults["/data"] = ["wrong"]
    path = downloads.file(f"{server.url}/data")

    assert path.read_bytes() == DATA
    path.unlink()
    server.faults["/data"] = ["wrong", "wrong"]
    with pytest.raises(InputError, match=r"SHA-256 .* expects 300000 bytes"):
        downloads.file(f"{server.url}/data")
    assert not path.exists()


def test_a_file_that_was_altered_on_disk_is_noticed(server: Server, downloads: Downloads):
    """A download that is not what was verified is hashed again, and replaced."""
    server.files["/data"] = DATA
    path = downloads.file(f"{server.url}/data")
    path.write_bytes(b"x" + DATA[1:])

    assert downloads.file(f"{server.url}/data").read_bytes() == DATA


def test_more_than_announced_is_not_taken(server: Server, downloads: Downloads):
    """Bytes beyond the announced length do not end up in the file."""
    server.files["/data"] = DATA
    server.faults["/data"] = ["more"]

    assert downloads.file(f"{server.url}/data").read_bytes() == DATA


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_refusal_is_final(server: Server, downloads: Downloads, status: int):
    """What will not pass by itself is said at once."""
    server.faults["/data"] = [status]
    with pytest.raises(InputError, match=f"answers HTTP {status}; check the address"):
        downloads.file(f"{server.url}/data")

    assert len(server.requests) == 1


def test_tokens_are_never_shown(
    server: Server, downloads: Downloads, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    """Neither errors nor output nor any file hold a password, or what follows the question mark."""
    server.files["/data"] = DATA
    good = f"http://user:hunter2@127.0.0.1:{server.server_port}/data?token=s3cr3t#frag"
    downloads.file(good)
    messages = []
    for bad in (
        good.replace("/data", "/none"),
        good.replace("http:", "gopher:"),
        good.replace(":hunter2@", ":hunter2@no.host."),
    ):
        with pytest.raises(InputError) as caught:
            downloads.file(bad)
        messages.append(str(caught.value))
    shown = "".join([*messages, *capfd.readouterr(), *(str(path) for path in tmp_path.rglob("*"))]).encode()
    written = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    assert server.requests[0][0] == "/data?token=s3cr3t"
    for secret in (b"hunter2", b"s3cr3t", b"user:"):
        assert secret not in shown + written


@pytest.mark.parametrize("url", ["ftp://host/data", "gopher://host/data", "data:text/plain,x"])
def test_other_schemes_are_refused(downloads: Downloads, url: str):
    """Only http, https and file."""
    with pytest.raises(InputError, match="expected http, https, file or a path"):
        downloads.file(url)


def test_a_redirect_cannot_leave_the_web(server: Server, downloads: Downloads, tmp_path: Path):
    """A server cannot have a local file read in its name."""
    (tmp_path / "secret").write_text("x")
    server.redirects["/data"] = (tmp_path / "secret").as_uri()

    with pytest.raises(InputError, match="cannot be fetched"):
        downloads.file(f"{server.url}/data")


def test_a_file_address_is_its_own_file(downloads: Downloads, tmp_path: Path):
    """Nothing is copied for what is on this machine."""
    (tmp_path / "a b.tgz").write_bytes(DATA)

    assert downloads.file((tmp_path / "a b.tgz").as_uri()) == tmp_path / "a b.tgz"
    with pytest.raises(InputError, match="names the host elsewhere"):
        downloads.file("file://elsewhere/etc/passwd")


def test_a_full_disk_is_foreseen(server: Server, downloads: Downloads, monkeypatch: pytest.MonkeyPatch):
    """What does not fit is not begun."""
    server.files["/data"] = DATA
    usage = module.shutil.disk_usage("/")._replace(free=1000)
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: usage)

    with pytest.raises(InputError, match=r"needs 0\.0 GB more"):
        downloads.file(f"{server.url}/data")


def test_a_damaged_table_of_checksums_is_named(checksums: Checksums):
    """A table that cannot be read is not silently written anew."""
    checksums.path.parent.mkdir()
    checksums.path.write_text("address,size\na,b\n")

    with pytest.raises(InputError, match=r"checksums\.csv is damaged .*expected the columns address, bytes, sha256"):
        checksums.known("a")
