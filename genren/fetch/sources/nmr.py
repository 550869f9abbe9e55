"""Source `nmr`: the renders of Kato et al. (2018) as packed by Niemeyer et al. (2020): masks, cameras, clouds."""

import io
import re
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from genren.categories import synset
from genren.data.arrays import read_npz
from genren.data.cameras import CAMERAS, from_nmr
from genren.data.clouds import cloud_file, parse_cloud, write_cloud
from genren.data.r2n2 import decode_image
from genren.errors import InputError
from genren.fetch.formats.images import with_mask
from genren.fetch.sources.offer import Model, Offer, own_models, write_images
from genren.fetch.trees import Downloads, Tree
from genren.params import FetchParams

CLOUD = "pointcloud.npz"
LISTS = {"train": "softras_train.lst", "val": "softras_val.lst", "test": "softras_test.lst"}


def offer(category: str, params: FetchParams) -> Offer:
    """The models of a category in NMR_Dataset.zip, read by ranges where it lies on a server; SoftRas's split."""
    tree = Downloads(params.download).tree(params.nmr.archive, synset(category))
    files, mended = own_models(tree, category, "expected NMR_Dataset: see docs/data.md")

    def writer(name: str) -> Callable[[Path], None]:
        return lambda folder: _write(tree, files[name], category, name, folder)

    lists = {split: name for name in tree.names() for split, ending in LISTS.items() if name.endswith(f"/{ending}")}
    contents = tree.read(list(lists.values()))
    softras = {
        model: split for split, name in lists.items() for model in contents[name].decode(errors="replace").split()
    }
    total = sum(len(contents[name].split()) for name in lists.values())
    if total != len(softras):
        raise InputError(
            f"{tree.place} lists {total - len(softras)} models of {category} in two splits; expected one each"
        )
    source = f"nmr {Path(tree.place).name}"
    models = [Model(name, name, source, writer(name)) for name in files]
    return Offer(models, {"softras": softras} if softras else {}, mended)


def _write(tree: Tree, files: dict[str, str], category: str, name: str, folder: Path) -> None:
    """Write one model, all of whose files are read at once."""
    numbers = sorted(int(match[1]) for path in files if (match := re.fullmatch(r"image/(\d{4})\.png", path)))
    wanted = [f"{kind}/{number:04d}.png" for kind in ("image", "mask") for number in numbers]
    wanted += [CAMERAS, CLOUD]
    missing = [path for path in wanted if path not in files]
    if not numbers or numbers[-1] != len(numbers) - 1 or missing:
        found = f"{missing[0]} is missing" if missing else f"{len(numbers)} images are there"
        raise InputError(f"{tree.place}: of {name} {found}; expected image/0000.png on, masks, {CAMERAS} and {CLOUD}")
    contents = tree.read([files[path] for path in wanted])

    def content(path: str) -> tuple[bytes, str]:
        return contents[files[path]], f"{tree.place}: {files[path]}"

    images = []
    for number in numbers:
        picture = decode_image(*content(f"image/{number:04d}.png"), modes=("RGB", "RGBA"))
        mask = decode_image(*content(f"mask/{number:04d}.png"), modes=("L", "1", "RGB", "RGBA"))
        stream = io.BytesIO()
        rgba = with_mask(picture, mask, f"{tree.place}: {files[f'image/{number:04d}.png']}")
        Image.fromarray(rgba).save(stream, format="PNG", compress_level=3)
        images.append(stream.getvalue())
    data, place = content(CAMERAS)
    cameras = from_nmr(read_npz(data, place), len(images), place)
    points, normals = parse_cloud(*content(CLOUD))
    write_images(folder, category, name, images, None, cameras)
    write_cloud(cloud_file(folder, category, name), points, normals)
