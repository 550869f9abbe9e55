"""What every source returns, and how it writes a model down."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from genren.categories import synset
from genren.data import r2n2
from genren.data.cameras import Cameras, write_cameras
from genren.data.clouds import cloud_file
from genren.errors import InputError
from genren.fetch.trees import Tree, models_of


@dataclass(frozen=True)
class Model:
    """One model that a source offers."""

    name: str  # a safe folder name, unique in its category
    design: str  # models of one design never straddle splits
    source: str  # where it is from, for the record: a file, an archive, the generator's arguments; never a token
    write: Callable[[Path], None]  # into the raw folder given; raises InputError when the model cannot be read
    parts: Literal["both", "images", "cloud"] = "both"

    def written(self, folder: Path, category: str) -> bool:
        """Whether `write` had ended when an earlier run was interrupted: each writes its last file at once."""
        if self.parts == "images":
            return (r2n2.rendering_folder(folder, category, self.name) / r2n2.NAMES).is_file()
        return cloud_file(folder, category, self.name).is_file()


@dataclass(frozen=True)
class Offer:
    """The models of a category, and what is known about them as a whole."""

    models: list[Model]
    splits: dict[str, dict[str, str]] = field(default_factory=dict)  # official list -> model -> split
    mended: list[str] = field(default_factory=list)  # sentences about what was put right


def write_images(
    folder: Path, category: str, name: str, images: list[bytes], views: r2n2.Views | None, cameras: Cameras | None
) -> None:
    """Write a model's PNGs and where they were taken from: metadata in the words of 3D-R2N2, or camera matrices."""
    rendering = r2n2.rendering_folder(folder, category, name)
    rendering.mkdir(parents=True, exist_ok=True)
    for index, image in enumerate(images):
        (rendering / r2n2.image_name(index)).write_bytes(image)
    if cameras is not None:
        write_cameras(rendering, cameras)
    if views is not None:
        r2n2.write_views(rendering, views)
    else:
        r2n2.write_names(rendering, len(images))


def own_models(tree: Tree, category: str, remedy: str) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Models of a category in a tree -> their files, and sentences about those that were left to another category.

    ShapeNet lists some models under several synsets; here the smallest number keeps them, or a model could be trained
    on in one category and tested in another.
    """
    models = models_of(tree, synset(category))
    if not models:
        raise InputError(f"{tree.place} holds no model of {category} ({synset(category)}); {remedy}")
    shared = sorted(models.keys() & tree.elsewhere)
    kept = {name: files for name, files in models.items() if name not in tree.elsewhere}
    mended = [f"{len(shared)} models belong to another category too and were left to it"] if shared else []
    return kept, mended
