"""Source `meshes`: a folder of mesh files per category."""

import csv
import re
import shutil
from collections.abc import Callable
from pathlib import Path

from genren.categories import synset
from genren.errors import InputError
from genren.fetch.rendered import write_rendered
from genren.fetch.sources.offer import Model, Offer
from genren.files import replacing
from genren.geometry.glb import save_mesh
from genren.geometry.meshfile import READERS, load_mesh
from genren.params import FetchParams

DESIGNS = "designs.csv"

# What the names of mesh packs add to a design's name for a variant of it: another finish, another load, another colour,
# and the drivers of Kenney's karts.
VARIANT = re.compile(
    r"[_-](?:backsplash|half|wood|pillows|books|red|orange|yellow|green|blue|purple|pink|black|white|grey|gray|brown)$"
    r"|(?<=[a-z])Books$|(?<=kart)-\w+$",
    re.IGNORECASE,
)
COPY = re.compile(r"[_-]\d+$")


def offer(category: str, params: FetchParams) -> Offer:
    """The mesh files in `<params.folder>/<category>`, sorted by name; a missing folder or an empty one is an error.

    Designs come from `designs.csv` (columns file, design) in that folder for the files it lists, and from the file's
    name for the others: see `design_of`.
    """
    synset(category)  # an unknown category is an error before the folder is looked for
    place = Path(params.folder) / category
    known = ", ".join(READERS)
    if not place.is_dir():
        raise InputError(f"{place} does not exist; expected a folder of the mesh files of {category} ({known})")
    files = sorted(path for path in place.iterdir() if path.is_file() and path.suffix.lower() in READERS)
    if not files:
        raise InputError(f"{place} holds no mesh file; expected at least one of {known}")
    stems = {path.stem for path in files}
    designs = _read_designs(place, {path.name for path in files})

    def writer(name: str, path: Path) -> Callable[[Path], None]:
        return lambda folder: write_rendered(folder, category, name, converter(path), params, orient=True)

    return Offer(
        [
            Model(name, designs.get(path.name, design_of(path.stem, stems)), path.name, writer(name, path))
            for path, name in zip(files, safe_names([path.stem for path in files]), strict=True)
        ]
    )


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


def safe_names(stems: list[str]) -> list[str]:
    """A folder name per stem: letters, digits and `._-`, unique also where case does not count."""
    taken: set[str] = set()
    names = []
    for original in stems:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", original).strip(".-") or "model"
        name, number = stem, 2
        while name.casefold() in taken:
            name, number = f"{stem}-{number}", number + 1
        taken.add(name.casefold())
        names.append(name)
    return names


def converter(source: Path) -> Callable[[Path], None]:
    """Writer of a mesh file as GLB: a GLB is copied as it is, anything else converted."""

    def write(path: Path) -> None:
        mesh = load_mesh(source)
        if source.suffix.lower() == ".glb":
            with replacing(path) as temporary:
                shutil.copyfile(source, temporary)
        else:
            save_mesh(path, mesh)

    return write
