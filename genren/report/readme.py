"""The part of README.md that is generated, between two markers; the words around it are written by people."""

from pathlib import Path

from genren.errors import InputError
from genren.files import replacing

BEGIN = "<!-- results:begin -->"
END = "<!-- results:end -->"


def update_readme(path: Path, results: str) -> bool:
    """Put `results` between the markers of the file at `path`; returns whether the file changed.

    A missing file, and one without markers, are left alone. One marker without the other, in the wrong order or twice
    is an InputError: guessing would overwrite what a person wrote.
    """
    if not path.exists():
        return False
    text = path.read_text(encoding="utf-8")
    if BEGIN not in text and END not in text:
        return False
    if text.count(BEGIN) != 1 or text.count(END) != 1 or text.index(END) < text.index(BEGIN):
        raise InputError(f"{path} must hold {BEGIN} once and {END} once after it; put the markers right")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    updated = f"{before}{BEGIN}\n{results.strip()}\n{END}{after}"
    if updated == text:
        return False
    with replacing(path) as temporary:
        temporary.write_text(updated, encoding="utf-8")
    return True
