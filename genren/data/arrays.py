"""NumPy's `.npz` from anywhere, bounded before it is read."""

import io
import math
import zipfile
from typing import IO

import numpy as np

from genren.errors import InputError

# Largest single file that any of the data sets has reason to hold, and how much smaller it may have been packed.
MEMBER_LIMIT = 256 << 20  # bytes
RATIO_LIMIT = 200  # smooth float tables pack well, DEFLATE's own limit is 1032


def check_size(archive: str, name: str, size: int, packed: int | None = None) -> int:
    """A member's declared size if it is no bomb."""
    if size > MEMBER_LIMIT:
        raise InputError(
            f"{archive}: {name} declares {size} bytes, expected at most {MEMBER_LIMIT}; get the archive anew"
        )
    if packed is not None and size > max(1 << 20, RATIO_LIMIT * packed):
        raise InputError(
            f"{archive}: {name} unpacks {packed} bytes to {size}, expected at most {RATIO_LIMIT} times as many; get "
            "the archive anew"
        )
    return size


def read_npz(data: bytes, place: str) -> dict[str, np.ndarray]:
    """Arrays of numbers by name; a header that claims more than the file declares is refused before memory is taken."""
    arrays = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            for member in archive.infolist():
                check_size(place, member.filename, member.file_size, member.compress_size)
                with archive.open(member) as stream:
                    version = np.lib.format.read_magic(stream)
                    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else _header_2
                    shape, fortran, dtype = read(stream)
                    if (
                        dtype.kind not in "fiub"
                        or dtype.itemsize * math.prod(shape) != member.file_size - stream.tell()
                    ):
                        raise ValueError(f"{member.filename} is no array of numbers, or not of the size it claims")
                    flat = np.frombuffer(bytearray(stream.read()), dtype)
                arrays[member.filename.removesuffix(".npy")] = flat.reshape(shape, order="F" if fortran else "C")
    except InputError:
        raise
    except (ValueError, EOFError, OSError, NotImplementedError, zipfile.BadZipFile, RuntimeError) as error:
        raise InputError(f"{place} cannot be read ({error}); expected an .npz file of arrays") from None
    return arrays


def _header_2(stream: IO[bytes]) -> tuple:
    header: tuple = np.lib.format.read_array_header_2_0(stream)
    return header
