"""Members of a zip by their byte ranges, whether it is a file or lies on a server.

A model's members are neighbours in the archive: they are fetched with one request, not with one each.
"""

import hashlib
import io
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol

import numpy as np

from genren.data.arrays import check_size
from genren.errors import InputError
from genren.fetch.names import check_name, is_below, model_elsewhere

GAP = 1 << 18  # bytes between two members that are cheaper to fetch than to skip
SPAN = 1 << 26  # bytes of one request for members, at most
PIECE = 1 << 24  # bytes of one request for the directory: of a large one little is lost with a connection
LOCAL_HEADER = struct.Struct("<4s5H3L2H")


class Reader(Protocol):
    """A file of which parts can be read by many threads."""

    size: int

    def read(self, start: int, stop: int) -> bytes:
        """Bytes [start, stop)."""


class FileReader:
    """A local file."""

    def __init__(self, path: Path) -> None:
        self.handle = os.open(path, os.O_RDONLY)
        self.size = os.fstat(self.handle).st_size

    def read(self, start: int, stop: int) -> bytes:
        """Bytes [start, stop)."""
        return os.pread(self.handle, stop - start, start)

    def __del__(self) -> None:
        if hasattr(self, "handle"):
            os.close(self.handle)


class Zip:
    """The members of an archive below one folder name, wherever in the tree that folder is."""

    def __init__(self, place: str, reader: Reader, below: str) -> None:
        self.place, self.reader = place, reader
        try:
            with zipfile.ZipFile(io.BufferedReader(_Stream(reader), 1 << 22)) as archive:
                directory = archive.start_dir
                every = archive.infolist()
        except (zipfile.BadZipFile, struct.error, OSError, NotImplementedError) as error:
            raise InputError(f"{place} is no whole zip archive ({error}); get it anew") from None
        # A member ends before the next one begins; only its own header says how far before.
        starts = np.unique([info.header_offset for info in every] + [directory])
        # The directory holds the checksum of every member: if it is the same, so is what it describes.
        entries = ((info.filename, info.CRC, info.file_size, info.header_offset) for info in every)
        total = hashlib.sha256()
        for entry in entries:
            total.update(repr(entry).encode())
        self.checksum = total.hexdigest()
        self.members: dict[str, zipfile.ZipInfo] = {}
        self.stops: dict[str, int] = {}
        self.elsewhere = {model for info in every if (model := model_elsewhere(info.filename, below))}
        for info in every:
            if info.is_dir() or not is_below(info.filename, below):
                continue
            name = check_name(place, info.orig_filename)
            kind = stat.S_IFMT(info.external_attr >> 16)
            if kind not in (0, stat.S_IFREG):
                raise InputError(f"{place} has a member {name!r} that is no plain file; get the archive anew")
            if info.flag_bits & 1 or info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise InputError(f"{place}: {name} is encrypted or packed in an unknown way; expected DEFLATE")
            check_size(place, name, info.file_size, info.compress_size)
            self.members[name] = info
            self.stops[name] = int(starts[np.searchsorted(starts, info.header_offset, side="right") :][:1].sum())

    def names(self) -> Iterable[str]:
        """Names of all members."""
        return self.members

    def read(self, names: list[str]) -> dict[str, bytes]:
        """Contents of members, by as few reads as their places allow."""
        result = {}
        for group in self._groups(names):
            first = self.members[group[0]].header_offset
            data = self.reader.read(first, max(self.stops[name] for name in group))
            for name in group:
                result[name] = self._unpack(name, memoryview(data)[self.members[name].header_offset - first :])
        return result

    def _groups(self, names: list[str]) -> Iterator[list[str]]:
        """Names in order of place, split where there is a gap."""
        group: list[str] = []
        for name in sorted(names, key=lambda name: self.members[name].header_offset):
            start = self.members[name].header_offset
            if group:
                far = start > max(self.stops[other] for other in group) + GAP
                if far or self.stops[name] - self.members[group[0]].header_offset > SPAN:
                    yield group
                    group = []
            group.append(name)
        if group:
            yield group

    def _unpack(self, name: str, data: memoryview) -> bytes:
        """One member from the bytes that begin with its own header."""
        info = self.members[name]
        try:
            magic, *_, name_length, extra_length = LOCAL_HEADER.unpack_from(data)
            start = LOCAL_HEADER.size + name_length + extra_length
            packed = data[start : start + info.compress_size]
            if magic != b"PK\3\4" or len(packed) != info.compress_size:
                raise ValueError("its header and the directory differ")
            content = bytes(packed)
            if info.compress_type == zipfile.ZIP_DEFLATED:
                content = zlib.decompressobj(-zlib.MAX_WBITS).decompress(content, info.file_size + 1)
            if len(content) != info.file_size or zlib.crc32(content) != info.CRC:
                raise ValueError("its size or checksum is wrong")
        except (struct.error, zlib.error, ValueError) as error:
            raise InputError(f"{self.place}: {name} is damaged ({error}); get the archive anew") from None
        return content


class _Stream(io.RawIOBase):
    """A reader as the file object that `zipfile` reads the directory from."""

    def __init__(self, reader: Reader) -> None:
        self.reader, self.position = reader, 0

    def seekable(self) -> bool:
        return True

    def readable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.position = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.position, io.SEEK_END: self.reader.size}[whence]
        return self.position

    def tell(self) -> int:
        return self.position

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        stop = min(self.position + len(buffer), self.position + PIECE, self.reader.size)
        data = self.reader.read(self.position, stop) if stop > self.position else b""
        buffer[: len(data)] = data
        self.position += len(data)
        return len(data)
