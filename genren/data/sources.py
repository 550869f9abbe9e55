"""Where models come from: the built-in generator, or a folder of mesh files.

A source is a list of `Model`, each of which can write itself as GLB. Whatever the source, what is rendered afterwards
is what `load_mesh` reads back from that GLB.
"""

import csv
import re
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from genren.categories import synset
from genren.errors import InputError
from genren.files import replacing
from genren.geometry.glb import save_mesh
from genren.geometry.meshfile import READERS, load_mesh

DESIGNS = "designs.csv"

# What the names of mesh packs add to a design's name for a variant of it: another finish, another load, another colour,
# and the drivers of Kenney's karts.
VARIANT = re.compile(
    r"[_-](?:backsplash|half|wood|pillows|books|red|orange|yellow|green|blue|purple|pink|black|white|grey|gray|brown)$"
    r"|(?<=[a-z])Books$|(?<=kart)-\w+$",
    re.IGNORECASE,
)
COPY = re.compile(r"[_-]\d+$")


@dataclass(frozen=True)
class Model:
    """One model that a source offers."""

    name: str  # a safe folder name, unique in its category
    design: str  # models of one design never straddle splits
    source: str  # the file or the generator's arguments, for the record
    write_glb: Callable[[Path], None]  # raises InputError when the model cannot be read


def procedural(category: str, count: int, seed: int) -> list[Model]:
    """The first `count` models of the generator for a category and a seed; each is a design of its own."""
    from genren.data.procedural import CATEGORIES, build

    if category not in CATEGORIES:
        raise InputError(f"the procedural source has no category {category!r}; known are {', '.join(CATEGORIES)}")

    def writer(index: int) -> Callable[[Path], None]:
        def write(path: Path) -> None:
            with replacing(path) as temporary:
                temporary.write_bytes(build(category, seed, index).export(file_type="glb"))

        return write

    names = [f"{category}-{seed}-{index:04d}" for index in range(count)]
    return [Model(name, name, f"procedural {name}", writer(index)) for index, name in enumerate(names)]


def meshes(folder: Path, category: str) -> list[Model]:
    """The mesh files in `folder/<category>`, sorted by name; a missing folder or an empty one is an error.

    Designs come from `designs.csv` (columns file, design) in that folder for the files it lists, and from the file's
    name for the others: see `design_of`.
    """
    synset(category)  # an unknown category is an error before the folder is looked for
    place = folder / category
    known = ", ".join(READERS)
    if not place.is_dir():
        raise InputError(f"{place} does not exist; expected a folder of the mesh files of {category} ({known})")
    files = sorted(path for path in place.iterdir() if path.is_file() and path.suffix.lower() in READERS)
    if not files:
        raise InputError(f"{place} holds no mesh file; expected at least one of {known}")
    stems = {path.stem for path in files}
    designs = _read_designs(place, {path.name for path in files})
    return [
        Model(name, designs.get(path.name, design_of(path.stem, stems)), path.name, _converter(path))
        for path, name in zip(files, _safe_names(files), strict=True)
    ]


def design_of(stem: str, stems: set[str]) -> str:
    """A file's design: its stem without the marks of a variant.

    Known words at the end are dropped wherever they stand (`chair_A_wood` is `chair_A`); a number after a separator
    only where the rest names another of the folder's `stems` (`Drawer_1` beside `Drawer`), since a folder may well
    number models that have nothing in common.
    """
    while True:
        shorter = VARIANT.sub("", stem)
        if shorter == stem and COPY.sub("", stem) in stems:
            shorter = COPY.sub("", stem)
        if shorter in ("", stem):
            return stem
        stem = shorter


def _read_designs(folder: Path, names: set[str]) -> dict[str, str]:
    """File name -> design from `designs.csv`, {} where there is none."""
    path = folder / DESIGNS
    if not path.is_file():
        return {}
    with path.open(newline="", errors="replace") as stream:
        rows = list(csv.DictReader(stream))
    designs = {row.get("file") or "": row.get("design") or "" for row in rows}
    if not all(designs) or not all(designs.values()):
        raise InputError(f"{path} has rows without a file or a design; expected the columns file,design")
    unknown = sorted(designs.keys() - names)
    if unknown:
        raise InputError(f"{path} lists {unknown[0]!r}, which is no mesh file in {folder}; correct or remove the row")
    return designs


def _safe_names(files: list[Path]) -> list[str]:
    """A folder name per file: letters, digits and `._-`, unique also where case does not count."""
    taken: set[str] = set()
    names = []
    for path in files:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", path.stem).strip(".-") or "model"
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def _converter(source: Path) -> Callable[[Path], None]:
    """Writer of a mesh file as GLB: a GLB is copied as it is, anything else converted."""

    def write(path: Path) -> None:
        mesh = load_mesh(source)
        if source.suffix.lower() == ".glb":
            with replacing(path) as temporary:
                shutil.copyfile(source, temporary)
        else:
            save_mesh(path, mesh)

    return write
