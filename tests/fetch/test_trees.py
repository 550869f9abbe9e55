"""Archives and folders as trees of files: what is read, how, and what is refused."""

import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from genren.errors import InputError
from genren.fetch import zips
from genren.fetch.trees import Downloads, models_of
from tests.fetch.server import Server

FILES = {"02933112/a/x.png": b"ax" * 50, "02933112/b/y.png": b"by" * 60, "02958343/b/z.png": b"bz" * 70}


def make_zip(path: Path, files: dict[str, bytes] = FILES, method: int = zipfile.ZIP_DEFLATED) -> Path:
    """A zip of the files below `Set/`."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(f"Set/{name}", data)
    return path


def make_tar(path: Path, files: dict[str, bytes] = FILES) -> Path:
    """A tar of the files below `Set/`."""
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(f"Set/{name}")
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return path


def make_folder(path: Path) -> Path:
    """A folder of the files below `Set/`."""
    for name, data in FILES.items():
        (path / "Set" / name).parent.mkdir(parents=True, exist_ok=True)
        (path / "Set" / name).write_bytes(data)
    return path


@pytest.mark.parametrize("form", ["folder", "zip", "stored zip", "tgz", "remote zip", "remote tgz"])
def test_every_form_is_the_same_tree(form: str, tmp_path: Path, server: Server, downloads: Downloads):
    """Only the category's models are there, each with its files, and what other categories share is known."""
    if form == "folder":
        place = str(make_folder(tmp_path / "data"))
    elif "zip" in form:
        method = zipfile.ZIP_STORED if "stored" in form else zipfile.ZIP_DEFLATED
        place = str(make_zip(tmp_path / "data.zip", method=method))
    else:
        place = str(make_tar(tmp_path / "data.tgz"))
    if "remote" in form:
        server.files[f"/{Path(place).name}"] = Path(place).read_bytes()
        place = f"{server.url}/{Path(place).name}"
    tree, other = downloads.tree(place, "02933112"), downloads.tree(place, "02958343")
    models, cars = models_of(tree, "02933112"), models_of(other, "02958343")

    assert {name: list(files) for name, files in models.items()} == {"a": ["x.png"], "b": ["y.png"]}
    names = [models["a"]["x.png"], models["b"]["y.png"]]
    assert tree.read(names) == dict(zip(names, [FILES["02933112/a/x.png"], FILES["02933112/b/y.png"]], strict=True))
    assert list(cars) == ["b"]
    assert (tree.elsewhere, other.elsewhere) == (set(), {"a", "b"})


def test_a_folder_may_be_pointed_at_on_any_level(tmp_path: Path, downloads: Downloads):
    """The data set's parent, the data set, or the synset's own folder."""
    make_folder(tmp_path / "data")
    for place in ("data", "data/Set", "data/Set/02933112"):
        assert list(models_of(downloads.tree(str(tmp_path / place), "02933112"), "02933112")) == ["a", "b"]


def test_a_remote_zip_is_read_by_ranges(tmp_path: Path, server: Server, downloads: Downloads):
    """Of a zip on a server its directory and one model are sent, that one in one answer, and never the rest."""
    noise = {f"02933112/m{index:03d}/{view}.png": os.urandom(20_000) for index in range(60) for view in range(3)}
    server.files["/data.zip"] = make_zip(tmp_path / "data.zip", noise).read_bytes()
    tree = downloads.tree(f"{server.url}/data.zip", "02933112")
    files = models_of(tree, "02933112")["m030"]
    before = len(server.requests), server.sent
    contents = tree.read(list(files.values()))

    assert list(contents.values()) == [noise[f"02933112/m030/{view}.png"] for view in range(3)]
    assert len(server.requests) - before[0] == 1
    assert server.sent - before[1] < 65_000
    assert before[1] < 200_000
    assert len(server.files["/data.zip"]) > 3_600_000


@pytest.mark.parametrize("fault", ["drop", "stall", 503, "more"])
def test_a_range_that_fails_is_asked_for_again(fault: str | int, tmp_path: Path, server: Server, downloads: Downloads):
    """Lost, silent and overloaded answers cost an attempt, and the bytes are right in the end."""
    server.files["/data.zip"] = make_zip(tmp_path / "data.zip").read_bytes()
    tree = downloads.tree(f"{server.url}/data.zip", "02933112")
    name = models_of(tree, "02933112")["a"]["x.png"]
    server.faults["/data.zip"] = [fault, fault]

    assert tree.read([name])[name] == FILES["02933112/a/x.png"]


def test_wrong_bytes_in_a_range_are_noticed(tmp_path: Path, server: Server, downloads: Downloads):
    """A member is checked against the directory, and the directory against what was recorded."""
    server.files["/data.zip"] = make_zip(tmp_path / "data.zip").read_bytes()
    tree = downloads.tree(f"{server.url}/data.zip", "02933112")
    name = models_of(tree, "02933112")["a"]["x.png"]
    server.faults["/data.zip"] = ["wrong"]
    with pytest.raises(InputError, match=r"a/x\.png is damaged"):
        tree.read([name])
    server.faults["/data.zip"] = ["changed"]
    with pytest.raises(InputError, match="changed while it was read"):
        tree.read([name])
    server.files["/data.zip"] = make_zip(
        tmp_path / "data.zip", {**FILES, "02933112/a/x.png": b"other" * 20}
    ).read_bytes()
    with pytest.raises(InputError, match=r"data\.zip#directory has .* expects"):
        downloads.tree(f"{server.url}/data.zip", "02933112")


def test_a_server_without_ranges_is_not_read(tmp_path: Path, server: Server, downloads: Downloads):
    """A server that answers a range with everything is left at once."""
    server.files["/data.zip"] = os.urandom(50_000_000)
    server.ranges = False

    with pytest.raises(InputError, match="does not answer range requests; download it whole"):
        downloads.tree(f"{server.url}/data.zip", "02933112")
    assert len(server.requests) == 1


BAD_NAMES = ["/02933112/a/x", "../02933112/a/x", "Set/02933112/../../x", "Set/02933112/..\\x", "C:/02933112/x"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_names_that_lead_outside_condemn_an_archive(name: str, tmp_path: Path, downloads: Downloads):
    """Absolute paths, `..`, backslashes and drives are refused in zip and tar, and nothing is written."""
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        info = zipfile.ZipInfo("placeholder")
        info.filename = name
        archive.writestr(info, b"x")
    with tarfile.open(tmp_path / "data.tgz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo(name), io.BytesIO(b""))
    for file in ("data.zip", "data.tgz"):
        with pytest.raises(InputError, match=f"{file} has a member .* would leave its folder"):
            downloads.tree(str(tmp_path / file), "02933112")

    written = {path.name for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert written == {"data.zip", "data.tgz"}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_links_and_devices_condemn_a_tar(kind: bytes, tmp_path: Path, downloads: Downloads):
    """Whatever they point at, and wherever in the archive they are."""
    with tarfile.open(tmp_path / "data.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("Set/elsewhere/link")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)

    with pytest.raises(InputError, match="is no plain file"):
        downloads.tree(str(tmp_path / "data.tgz"), "02933112")
    assert not [path for path in (tmp_path / "downloads" / "unpacked").glob("data*") if path.is_dir()]


def test_a_link_condemns_a_zip(tmp_path: Path, downloads: Downloads):
    """A member with the mode of a symbolic link is not read as its target's name."""
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        info = zipfile.ZipInfo("Set/02933112/a/link")
        info.create_system, info.external_attr = 3, 0o120777 << 16
        archive.writestr(info, "/etc/passwd")

    with pytest.raises(InputError, match="is no plain file"):
        downloads.tree(str(tmp_path / "data.zip"), "02933112")


def test_bombs_are_seen_by_what_they_declare(tmp_path: Path, downloads: Downloads):
    """Members far larger than anything in the data, or than their packed size, are refused before they are unpacked."""
    make_zip(tmp_path / "bomb.zip", {"02933112/a/x.png": bytes(50_000_000)})
    with pytest.raises(InputError, match=r"x\.png unpacks \d+ bytes to 50000000"):
        downloads.tree(str(tmp_path / "bomb.zip"), "02933112")
    with tarfile.open(tmp_path / "large.tgz", "w:gz") as archive:
        member = tarfile.TarInfo("Set/02933112/a/x.png")
        member.size = 300 << 20
        archive.fileobj.write(member.tobuf())  # the header alone
    with pytest.raises(InputError, match=r"x\.png declares 314572800 bytes"):
        downloads.tree(str(tmp_path / "large.tgz"), "02933112")


def test_a_member_cannot_be_larger_than_declared(tmp_path: Path, downloads: Downloads):
    """A directory that lies about a member's size does not make the reader unpack more."""
    data = bytearray(make_zip(tmp_path / "data.zip", {"02933112/a/x.png": bytes(range(256)) * 400}).read_bytes())
    directory = data.index(b"PK\1\2")
    struct.pack_into("<L", data, directory + 24, 1000)
    (tmp_path / "data.zip").write_bytes(data)
    tree = downloads.tree(str(tmp_path / "data.zip"), "02933112")
    name = models_of(tree, "02933112")["a"]["x.png"]

    with pytest.raises(InputError, match="its size or checksum is wrong"):
        tree.read([name])


def test_a_tar_that_unpacks_to_very_much_is_stopped(
    tmp_path: Path, downloads: Downloads, monkeypatch: pytest.MonkeyPatch
):
    """Many small members that a gzip shrinks away are counted together."""
    make_tar(tmp_path / "data.tgz", {f"02933112/a/{index}.png": bytes(1_000_000) for index in range(20)})
    monkeypatch.setattr("genren.fetch.trees.SPARE", 1_000_000)

    with pytest.raises(InputError, match="unpacks to over twice its size"):
        downloads.tree(str(tmp_path / "data.tgz"), "02933112")


def test_damaged_and_unknown_files_are_named(tmp_path: Path, downloads: Downloads):
    """Truncated archives, other formats and missing places are one sentence each."""
    whole_zip, whole_tar = make_zip(tmp_path / "data.zip").read_bytes(), make_tar(tmp_path / "data.tgz").read_bytes()
    cases = {
        "cut.zip": (whole_zip[:-30], "no whole zip"),
        "cut.tgz": (whole_tar[:-30], "no whole tar"),
        "text.zip": (b"text", "no whole zip"),
        "data.7z": (b"7z", "neither a folder nor a zip or tar"),
    }
    for name, (data, words) in cases.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(InputError, match=words):
            downloads.tree(str(tmp_path / name), "02933112")
    with pytest.raises(InputError, match="nowhere does not exist"):
        downloads.tree(str(tmp_path / "nowhere"), "02933112")


def test_a_tar_is_unpacked_once(tmp_path: Path, downloads: Downloads, monkeypatch: pytest.MonkeyPatch):
    """A second look reads what is there; another archive under the name is unpacked anew."""
    make_tar(tmp_path / "data.tgz")
    downloads.tree(str(tmp_path / "data.tgz"), "02933112")
    with monkeypatch.context() as patch:
        patch.setattr("genren.fetch.trees.unpack_tar", None)
        downloads.tree(str(tmp_path / "data.tgz"), "02933112")
    make_tar(tmp_path / "data.tgz", {"02933112/c/x.png": b"new"})

    assert list(models_of(downloads.tree(str(tmp_path / "data.tgz"), "02933112"), "02933112")) == ["c"]


def test_reads_are_split_at_gaps(tmp_path: Path, downloads: Downloads, monkeypatch: pytest.MonkeyPatch):
    """Members far apart are not fetched with all that lies between them."""
    monkeypatch.setattr(zips, "GAP", 10)
    files = {f"02933112/{name}/x.png": os.urandom(1000) for name in "abcd"}
    tree = downloads.tree(str(make_zip(tmp_path / "data.zip", files)), "02933112")
    asked: list[int] = []
    read = tree.reader.read
    monkeypatch.setattr(tree.reader, "read", lambda start, stop: asked.append(stop - start) or read(start, stop))
    names = [models_of(tree, "02933112")[name]["x.png"] for name in ("d", "a")]

    assert [tree.read(names)[name] for name in names] == [files["02933112/d/x.png"], files["02933112/a/x.png"]]
    assert max(asked) < 1200
