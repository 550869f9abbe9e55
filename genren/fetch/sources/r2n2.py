"""Source `r2n2`: the renders of 3D-R2N2, with the clouds of another data set of the same models."""

import re
from collections.abc import Callable
from pathlib import Path

from genren.categories import synset
from genren.data import r2n2
from genren.data.clouds import cloud_file, write_cloud
from genren.errors import InputError
from genren.fetch.sources import shapenet
from genren.fetch.sources.offer import Model, Offer, own_models, write_images
from genren.fetch.trees import Downloads, Tree
from genren.params import FetchParams

# Known as a bad mesh among the thirteen classes (3D-R2N2, experiments/dataset/ShapeNet.md).
BAD = {"4a32519f44dc84aabafe26e2eb69ebf4"}


def offer(category: str, params: FetchParams) -> Offer:
    """The models of ShapeNetRendering that have a cloud too; the splits of 3D-R2N2 and, given its lists, Pixel2Mesh."""
    downloads = Downloads(params.download)
    tree = downloads.tree(params.r2n2.renders, synset(category))
    files, mended = own_models(tree, category, "expected ShapeNetRendering: see docs/data.md")
    clouds = shapenet.clouds(category, params, downloads)
    bare = files.keys() - clouds.models
    if bare:
        mended.append(f"{len(bare)} models have no cloud in {clouds.place} and were left out")
    if BAD & files.keys():
        mended.append(f"{len(BAD & files.keys())} models with a known bad mesh were left out")

    def writer(name: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            views, images = read_rendering(tree, name, files[name])
            points, normals = clouds.read(name, views)
            write_images(folder, category, name, images, views, None)
            write_cloud(cloud_file(folder, category, name), points, normals)

        return write

    names = sorted(files.keys() - bare - BAD)
    source = f"r2n2 {Path(tree.place).name}, clouds {params.r2n2.clouds} {Path(clouds.place).name}"
    # The split is of all models that the archive has, whatever was left out here.
    splits, sentences = shapenet.pixel2mesh_split(category, params, downloads, names)
    splits["r2n2"] = shapenet.r2n2_split(list(files))
    return Offer([Model(name, name, source, writer(name)) for name in names], splits, mended + sentences)


def read_rendering(
    tree: Tree, model: str, files: dict[str, str], limit: int | None = None
) -> tuple[r2n2.Views, list[bytes]]:
    """Metadata and PNGs of a model, given its files by their names inside of the model's folder; at most `limit`."""
    inside = {name.rpartition("/")[2]: full for name, full in files.items()}
    if r2n2.METADATA not in inside:
        raise InputError(f"{tree.place} has no {r2n2.METADATA} of {model}; expected a line per image")
    pictures = sorted(name for name in inside if re.fullmatch(r"\d\d\.png", name))[:limit]
    contents = tree.read([inside[name] for name in (r2n2.METADATA, *pictures)])
    text = contents[inside[r2n2.METADATA]].decode(errors="replace")
    views = r2n2.parse_views(text, f"{tree.place}: {inside[r2n2.METADATA]}")
    # Line i belongs to image i, whatever else the folder lacks.
    if pictures != [r2n2.image_name(index) for index in range(len(pictures))] or not 0 < len(pictures) <= len(views):
        raise InputError(
            f"{tree.place} has {len(pictures)} images of {model} for {len(views)} lines; expected them alike"
        )
    count = len(pictures)
    views = r2n2.Views(views.azimuth[:count], views.elevation[:count], views.distance_ratio[:count])
    return views, [contents[inside[name]] for name in pictures]
