"""The gated hub: asked with the user's token, which is never shown, and answered in one sentence where it refuses."""

import functools
import json
from pathlib import Path
from typing import Any

import pytest

from genren.errors import InputError
from genren.fetch import hub
from genren.fetch.checksums import Checksums
from tests.fetch.server import Server

TOKEN = "hf_veryverysecret"


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        ("GatedRepo", 403, "is gated, and this account has no access; ask for access on its page"),
        ("RepoNotFound", 401, "is not there, or not for this account; check its name"),
        ("EntryNotFound", 404, r"has no file 02933112\.zip"),
    ],
)
def test_refusals_say_what_to_do(
    code: str,
    status: int,
    words: str,
    server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
):
    """No approval, no such repository and no such file differ; the token went there and is in none of the answers."""
    server.errors, server.error_status = {"X-Error-Code": code, "X-Error-Message": "no"}, status
    # The client reads the address and the token from the environment when it is imported.
    real = functools.partial(hub.hf_hub_download, endpoint=server.url, token=TOKEN)
    monkeypatch.setattr(hub, "hf_hub_download", real)
    with pytest.raises(InputError, match=f"^ShapeNet/ShapeNetCore-archive {words}") as caught:
        hub.hub_file("hf://datasets/ShapeNet/ShapeNetCore-archive", "02933112.zip", tmp_path, Checksums(tmp_path / "c"))

    assert server.tokens == {f"Bearer {TOKEN}"}
    assert caught.value.__cause__ is None
    assert TOKEN not in str(caught.value) + "".join(capfd.readouterr())
    assert not [path for path in tmp_path.rglob("*") if path.is_file() and TOKEN.encode() in path.read_bytes()]


def test_an_address_that_is_no_data_set_is_refused(tmp_path: Path):
    """Only hf://datasets/<owner>/<name>."""
    for location in ("hf://ShapeNet/ShapeNetCore", "hf://datasets/../x/y", "hf://datasets/a/b/c"):
        with pytest.raises(InputError, match="expected hf://datasets/<owner>/<name>"):
            hub.hub_file(location, "x.zip", tmp_path, Checksums(tmp_path / "checksums.csv"))


def test_a_file_that_arrives_is_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """What the hub's client brings is hashed like any download, under the address without a token."""
    asked: dict[str, Any] = {}

    def bring(repository: str, name: str, **options: Any) -> str:
        asked.update(options, repository=repository, name=name)
        (tmp_path / name).write_bytes(b"zip")
        return str(tmp_path / name)

    monkeypatch.setattr(hub, "hf_hub_download", bring)
    checksums = Checksums(tmp_path / "data" / "checksums.csv")
    path = hub.hub_file("hf://datasets/ShapeNet/ShapeNetCore/", "02933112.zip", tmp_path, checksums)

    assert path.read_bytes() == b"zip"
    assert (asked["repository"], asked["repo_type"]) == ("ShapeNet/ShapeNetCore", "dataset")
    known = checksums.known("hf://datasets/ShapeNet/ShapeNetCore/02933112.zip")
    assert known is not None
    assert known[0] == 3
    (tmp_path / "02933112.zip").write_bytes(b"changed")
    monkeypatch.setattr(hub, "hf_hub_download", lambda *_, **__: str(tmp_path / "02933112.zip"))
    with pytest.raises(InputError, match="SHA-256"):
        hub.hub_file("hf://datasets/ShapeNet/ShapeNetCore", "02933112.zip", tmp_path, checksums)
    assert json.loads((tmp_path / "02933112.zip.json").read_text())["bytes"] == 3
