"""Writing: either the old content or the new one, never half of it."""

import errno
import json
import os
import shutil
from pathlib import Path

import pytest

from genren.errors import InputError
from genren.files import read_json, replacing, replacing_folder, resuming_folder, write_json
from tests.conftest import contents


def test_a_failed_write_leaves_the_old_file(tmp_path: Path):
    """An exception while writing changes nothing and leaves no temporary file."""
    path = tmp_path / "a.txt"
    path.write_text("old")

    with pytest.raises(RuntimeError), replacing(path) as temporary:  # noqa: PT012
        temporary.write_text("half")
        raise RuntimeError

    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_failed_folder_leaves_the_old_one(tmp_path: Path):
    """The same for a folder; a good one replaces it whole, stale files included."""
    path = tmp_path / "out"
    path.mkdir()
    (path / "stale").touch()

    with pytest.raises(RuntimeError), replacing_folder(path) as temporary:  # noqa: PT012
        (temporary / "half").touch()
        raise RuntimeError
    assert [p.name for p in path.iterdir()] == ["stale"]

    with replacing_folder(path) as temporary:
        (temporary / "new").touch()
    assert [p.name for p in path.iterdir()] == ["new"]
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_a_sentence_and_loses_nothing(tmp_path: Path):
    """No room while writing a file or a folder, nested or not: the old ones stay, nothing is left lying about."""
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "old").touch()
    (tmp_path / "a.txt").write_text("old")
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(InputError, match=r"full, .*a\.txt is what it was"), replacing(tmp_path / "a.txt") as file:  # noqa: PT012
        file.write_text("half")
        raise full
    with pytest.raises(InputError, match=r"the disk is full, .*/out is what it was before"):  # noqa: PT012, SIM117
        with replacing_folder(tmp_path / "out") as folder:
            with replacing(folder / "inner"):
                raise full

    assert contents(tmp_path) == {"a.txt": b"old", "out/old": b""}


def test_a_really_full_disk_keeps_the_old_file(small_disk: Path):
    """The same without a stand-in: a file system with no room left."""
    write_json(small_disk / "a.json", "old")
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 4096))

    with pytest.raises(InputError, match="the disk is full"):
        write_json(small_disk / "a.json", "new" * 10_000)

    assert read_json(small_disk / "a.json") == "old"
    assert contents(small_disk).keys() == {"a.json", "filler"}


def test_other_failures_keep_their_name(tmp_path: Path):
    """Only a full disk is called so."""
    with pytest.raises(PermissionError), replacing(tmp_path / "a.txt"):
        raise PermissionError(errno.EACCES, "no")


def test_not_a_number_becomes_null(tmp_path: Path):
    """JSON has no word for it; a reader sees null, and the file stays valid."""
    write_json(tmp_path / "a.json", {"a": [float("nan"), 1.5]})

    assert json.loads((tmp_path / "a.json").read_text()) == {"a": [None, 1.5]}


def test_a_broken_json_file_is_named(tmp_path: Path):
    """Missing and damaged files say which stage to run."""
    with pytest.raises(InputError, match="does not exist; run the stage"):
        read_json(tmp_path / "a.json")
    (tmp_path / "a.json").write_text("{")
    with pytest.raises(InputError, match=r"a\.json is not valid JSON"):
        read_json(tmp_path / "a.json")


def test_an_interrupted_folder_is_found_again(tmp_path: Path):
    """The next block with the same key finds what was written; one with another key, or after a refusal, does not."""

    def run(key: str, error: type[BaseException] | None) -> list[str]:
        """What a block finds, which then writes one more file and ends as told."""
        with resuming_folder(tmp_path / "out", key) as folder:
            found = sorted(path.name for path in folder.iterdir())
            (folder / str(len(found))).touch()
            if error:
                raise error("x")
        return found

    for error in (KeyboardInterrupt, RuntimeError):
        with pytest.raises(error):
            run("a", error)
    assert not (tmp_path / "out").exists()
    assert run("a", None) == ["0", "1"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]

    with pytest.raises(KeyboardInterrupt):
        run("a", KeyboardInterrupt)
    with pytest.raises(InputError):
        run("b", InputError)
    assert run("b", None) == []
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["0"]
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
