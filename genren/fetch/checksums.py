"""`data/checksums.csv`: what every downloaded file must be. In git, so that the next machine gets the same bytes.

None of the archives publishes a checksum: the first download of an address records it, every later one must match.
"""

import csv
from pathlib import Path

from filelock import FileLock

from genren.errors import InputError
from genren.files import replacing

COLUMNS = ["address", "bytes", "sha256"]


class Checksums:
    """The table at `path`; addresses are without queries and passwords."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def known(self, address: str) -> tuple[int, str] | None:
        """Size and SHA-256 of an address, None where nothing is known yet."""
        return self._read().get(address)

    def verify(self, address: str, size: int, sha256: str) -> None:
        """Compare with what is known, or record it."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{self.path}.lock"):
            table = self._read()
            expected = table.setdefault(address, (size, sha256))
            if expected != (size, sha256):
                raise InputError(
                    f"{address} has {size} bytes, SHA-256 {sha256}; {self.path} expects {expected[0]} bytes, "
                    f"{expected[1]}: fetch again, or remove its row if the file was replaced on purpose"
                )
            with replacing(self.path) as temporary, temporary.open("w", newline="") as stream:
                writer = csv.writer(stream, lineterminator="\n")
                writer.writerow(COLUMNS)
                writer.writerows([name, *row] for name, row in sorted(table.items()))

    def _read(self) -> dict[str, tuple[int, str]]:
        if not self.path.is_file():
            return {}
        try:
            with self.path.open(newline="") as stream:
                return {row["address"]: (int(row["bytes"]), row["sha256"]) for row in csv.DictReader(stream)}
        except (KeyError, TypeError, ValueError, csv.Error) as error:
            raise InputError(f"{self.path} is damaged ({error}); expected the columns {', '.join(COLUMNS)}") from None
