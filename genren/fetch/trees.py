"""Data sets as trees of small files: a folder, a zip (here or on a server), or a tar, all read alike.

Wherever in the tree it is, the folder named after the category's synset holds one folder per model. A tar cannot be
read in any order: the category's part of it is unpacked beside it first.
"""

import os
import re
import tarfile
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from filelock import FileLock

from genren import paths
from genren.data.arrays import check_size
from genren.errors import InputError
from genren.fetch.checksums import Checksums
from genren.fetch.download import download
from genren.fetch.names import check_name, is_below, model_elsewhere
from genren.fetch.web import RangeReader, Web, check_url, file_path, is_url, shown
from genren.fetch.zips import FileReader, Zip
from genren.files import replacing_folder
from genren.params import DownloadParams

SYNSET = r"\d{8}"
ELSEWHERE = "elsewhere.txt"
SPARE = 1 << 30  # bytes that a tar may unpack to over twice its size
TARS = (".tar", ".tgz", ".tar.gz", ".tar.bz2", ".tar.xz")


class Tree(Protocol):
    """A set of small files."""

    place: str  # for messages and records
    elsewhere: set[str]  # models that are also listed under a smaller synset

    def names(self) -> Iterable[str]:
        """Names of all files below the folder that was asked for, by `/`."""

    def read(self, names: list[str]) -> dict[str, bytes]:
        """Contents of some."""


class Folder:
    """The files below a folder on disk."""

    def __init__(self, place: str, root: Path, below: str) -> None:
        # A folder may be the synset's own.
        self.place, self.root, self.below = place, root.parent if root.name == below else root, below
        self.elsewhere: set[str] = set()

    def names(self) -> Iterable[str]:
        """Names relative to the root; a synset's folder lies at most three levels down.

        On the way `elsewhere` is filled from the names of other synsets' folders.
        """
        for folder, folders, files in os.walk(self.root):
            path = Path(folder).relative_to(self.root)
            if self.below not in path.parts:
                self.elsewhere |= {
                    model
                    for name in (*files, *_inside(folder, folders))
                    if (model := model_elsewhere(name, self.below))
                }
                files[:] = [file for file in files if file.startswith(f"{self.below}_")]
                folders[:] = [name for name in folders if name == self.below or not re.fullmatch(SYNSET, name)]
                folders[:] = folders if len(path.parts) < 3 else []
            yield from ((path / file).as_posix() for file in files)

    def read(self, names: list[str]) -> dict[str, bytes]:
        """Contents of some."""
        for name in names:
            check_size(self.place, name, (self.root / name).stat().st_size)
        return {name: (self.root / name).read_bytes() for name in names}


@dataclass(frozen=True)
class Downloads:
    """How the locations in params.yaml become trees and files."""

    params: DownloadParams

    @property
    def folder(self) -> Path:
        """Where downloaded files are kept."""
        return paths.root() / self.params.folder

    @property
    def checksums(self) -> Checksums:
        """What they must be."""
        return Checksums(paths.checksums())

    @property
    def web(self) -> Web:
        """Connections."""
        return Web(self.params)

    def file(self, location: str) -> Path:
        """The file at a URL or path; a missing one is an error."""
        path = download(location, self.folder, self.web, self.checksums) if is_url(location) else _local(location)
        if not path.is_file():
            raise InputError(f"{path} does not exist; expected a file or an address")
        return path

    def tree(self, location: str, below: str) -> Tree:
        """The part of a data set below the folder `below`, from a URL, an archive or a folder.

        A zip on a server is read by ranges, and what is read of it identified by its directory's checksum.
        """
        if is_url(location) and check_url(location) == "file":
            location = file_path(location)
        if is_url(location) and location.partition("?")[0].lower().endswith(".zip"):
            reader = RangeReader(self.web, location)
            archive = Zip(shown(location), reader, below)
            self.checksums.verify(f"{archive.place}#directory", reader.size, archive.checksum)
            return archive
        path = self.file(location) if is_url(location) else _local(location)
        if path.is_dir():
            return Folder(str(path), path, below)
        if not path.exists():
            raise InputError(f"{path} does not exist; expected a folder, an archive or an address: see docs/data.md")
        if path.suffix.lower() == ".zip":
            return Zip(str(path), FileReader(path), below)
        if path.name.lower().endswith(TARS):
            return self._unpacked(path, below)
        raise InputError(f"{path} is neither a folder nor a zip or tar archive; unpack it and name the folder")

    def _unpacked(self, path: Path, below: str) -> Folder:
        """The part of a tar below `below`, unpacked once into the folder of downloads."""
        out = self.folder / "unpacked" / f"{path.name}-{below}"
        out.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{out}.lock"):
            stamp = f"{path.stat().st_size} {path.stat().st_mtime_ns}"
            note = out.with_name(out.name + ".from")
            if not (out.is_dir() and note.is_file() and note.read_text() == stamp):
                note.unlink(missing_ok=True)
                with replacing_folder(out) as folder:
                    unpack_tar(path, below, folder)
                note.write_text(stamp)
        tree = Folder(str(path), out, below)
        tree.elsewhere = set((out / ELSEWHERE).read_text().split())
        return tree


def unpack_tar(path: Path, below: str, out: Path) -> None:
    """Write the files of a tar whose name holds the folder, or begins with the word, `below`.

    All of its members are looked at: one link, device or name that leads outside condemns the archive.
    """
    free, elsewhere = 2 * path.stat().st_size + SPARE, set()
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                name = check_name(str(path), member.name)
                if member.isdir():
                    continue
                if not member.isfile() or member.issparse():
                    raise InputError(f"{path} has a member {name!r} that is no plain file; get the archive anew")
                size = check_size(str(path), name, member.size)
                other = model_elsewhere(name, below)
                if other:  # its name is all that is needed
                    elsewhere.add(other)
                if not is_below(name, below):
                    continue
                free -= size
                if free < 0:  # a gzip may well shrink a thousandfold, pictures and points do not
                    raise InputError(f"{path} unpacks to over twice its size; expected pictures and clouds")
                stream = archive.extractfile(member)
                assert stream is not None
                (out / name).parent.mkdir(parents=True, exist_ok=True)
                (out / name).write_bytes(stream.read())
        (out / ELSEWHERE).write_text("".join(f"{model}\n" for model in sorted(elsewhere)))
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise InputError(f"{path} is no whole tar archive ({error}); get it anew") from None


def models_of(tree: Tree, synset: str) -> dict[str, dict[str, str]]:
    """Model -> its files, each by its name inside of the model's folder."""
    models: dict[str, dict[str, str]] = {}
    for name in tree.names():
        _, found, inside = f"/{name}".partition(f"/{synset}/")
        model, slash, relative = inside.partition("/")
        if found and slash:
            models.setdefault(model, {})[relative] = name
    return dict(sorted(models.items()))


def _local(location: str) -> Path:
    path = Path(file_path(location)) if is_url(location) else Path(location).expanduser()
    return path if path.is_absolute() else paths.root() / path


def _inside(folder: str, folders: list[str]) -> Iterable[str]:
    """Names `synset/model` of the synsets' folders among `folders`."""
    for name in folders:
        if re.fullmatch(SYNSET, name):
            yield from (f"{name}/{model}" for model in os.listdir(Path(folder) / name))  # noqa: PTH208 - names are all that is needed
