"""Source `genren`: the layout of the original's data, a folder of pictures and a folder of clouds, not paired."""

import re
from collections.abc import Callable
from pathlib import Path

import numpy as np

from genren.data.cameras import unknown
from genren.data.clouds import cloud_file, write_cloud
from genren.data.r2n2 import decode_image
from genren.errors import InputError
from genren.fetch.formats.tensors import read_tensor
from genren.fetch.sources.meshes import safe_names
from genren.fetch.sources.offer import Model, Offer, write_images
from genren.params import FetchParams

POINTS, NORMALS = ".PC.pt", ".normals.pt"


def offer(category: str, params: FetchParams) -> Offer:
    """Pictures `*.png` and clouds `NAME.PC.pt` with `NAME.normals.pt`.

    A picture whose name is a cloud's, or begins with it and goes on with `_`, `-` or `.` and a number, is a view of
    it. What has no partner can be trained on, as the method asks for no pairs, but not be tested.
    """
    images, clouds = (
        Path(place.format(category=category)).expanduser() for place in (params.genren.images, params.genren.clouds)
    )
    pictures = sorted(images.glob("*.png"))
    tables = {path.name.removesuffix(POINTS): path for path in sorted(clouds.glob(f"*{POINTS}"))}
    for folder, found, expected in ((images, pictures, "*.png"), (clouds, tables, f"NAME{POINTS} and NAME{NORMALS}")):
        if not found:
            raise InputError(f"{folder} holds no {expected}; set fetch.genren to the folders of {category}")
    views: dict[str, list[Path]] = {name: [] for name in tables}
    for path in pictures:
        owner = path.stem if path.stem in tables else re.sub(r"[_.-]\d+$", "", path.stem)
        views.setdefault(owner, []).append(path)

    def writer(stem: str, name: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            pair = _read_cloud(tables[stem]) if stem in tables else None
            contents = [path.read_bytes() for path in views[stem]]
            for path, data in zip(views[stem], contents, strict=True):
                decode_image(data, str(path))
            if contents:
                write_images(folder, category, name, contents, None, unknown(len(contents)))
            if pair:
                write_cloud(cloud_file(folder, category, name), *pair)

        return write

    models = []
    for stem, name in zip(views, safe_names(list(views)), strict=True):
        parts = "both" if stem in tables and views[stem] else "cloud" if stem in tables else "images"
        models.append(Model(name, name, f"genren {stem}", writer(stem, name), parts))  # type: ignore[arg-type]
    alone = sum(model.parts != "both" for model in models)
    return Offer(
        models, {}, [f"{alone} names have only pictures or only a cloud and are for training"] if alone else []
    )


def _read_cloud(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals (N, 3) of one name."""
    other = path.with_name(path.name.removesuffix(POINTS) + NORMALS)
    if not other.is_file():
        raise InputError(f"{other} does not exist; expected the normals of {path.name}")
    points, normals = (read_tensor(file.read_bytes(), str(file)) for file in (path, other))
    if points.shape != normals.shape:
        raise InputError(f"{path} has the shape {points.shape}, its normals {normals.shape}; expected the same")
    return points, normals
