"""Source `pixel2mesh`: its clouds, and the renders that it kept: five of 3D-R2N2's 24."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from genren.categories import synset
from genren.data import r2n2
from genren.data.clouds import cloud_file, write_cloud
from genren.errors import InputError
from genren.fetch.formats.images import cut_from_white
from genren.fetch.sources import shapenet
from genren.fetch.sources.offer import Model, Offer, write_images
from genren.fetch.sources.r2n2 import read_rendering
from genren.fetch.trees import Downloads, Tree, models_of
from genren.params import FetchParams


def offer(category: str, params: FetchParams) -> Offer:
    """The models of ShapeNetP2M, ShapeNetTrain or p2mpp_models.

    Pictures are its own where it has some. Metadata, which undo the cameras, and the pictures of the ++ form are taken
    from `fetch.r2n2.renders` where it has none.
    """
    downloads = Downloads(params.download)
    tree = downloads.tree(params.pixel2mesh.data, synset(category))
    dats = shapenet.DatFiles.of(tree, category)
    own = all(r2n2.METADATA in files for files in dats.files.values())
    renders = tree if own else downloads.tree(params.r2n2.renders, synset(category))
    rendered = dats.files if own else models_of(renders, synset(category))
    names = [name for name in dats.files if name in rendered and name not in tree.elsewhere]
    if not names:
        raise InputError(
            f"{renders.place} has the metadata of none of the {len(dats.files)} {category} models in {tree.place}; "
            "point fetch.r2n2.renders at ShapeNetRendering"
        )

    def writer(name: str) -> Callable[[Path], None]:
        def write(folder: Path) -> None:
            views, images = _images(dats, name, renders, rendered[name])
            points, normals = dats.cloud(name, _all_views(renders, rendered[name]))
            write_images(folder, category, name, images, views, None)
            write_cloud(cloud_file(folder, category, name), points, normals)

        return write

    splits, mended = shapenet.pixel2mesh_split(category, params, downloads, names)
    splits["r2n2"] = shapenet.r2n2_split(names)
    if any(_is_old(dats, name) for name in names[:1]):
        mended.append("the pictures have no alpha: masks are a guess from their white background")
    if len(names) < len(dats.files):
        mended.append(
            f"{len(dats.files) - len(names)} models without metadata, or of another category too, were left out"
        )
    source = f"pixel2mesh {Path(tree.place).name}"
    return Offer([Model(name, name, source, writer(name)) for name in names], splits, mended)


def _is_old(dats: shapenet.DatFiles, model: str) -> bool:
    """Whether a model's pictures are inside of its `.dat`."""
    first = min((name for name in dats.files[model] if name.endswith(".dat")), default="")
    return bool(first) and any(array.ndim == 3 for array in dats.arrays(model, first))


def _images(
    dats: shapenet.DatFiles, model: str, renders: Tree, rendered: dict[str, str]
) -> tuple[r2n2.Views, list[bytes]]:
    """Metadata and PNGs of a model: its own, those inside of its `.dat`, or 3D-R2N2's."""
    own = {name: full for name, full in dats.files[model].items() if name.endswith(".png")}
    if own:
        contents = dats.tree.read(list(own.values()))
        count = len(own)
        if sorted(own) != [r2n2.image_name(index) for index in range(count)]:
            raise InputError(
                f"{dats.tree.place} has the images {', '.join(sorted(own))} of {model}; expected 00.png on"
            )
        views = _all_views(renders, rendered)
        if len(views) < count:
            raise InputError(f"{dats.tree.place} has {count} images of {model} for {len(views)} lines of metadata")
        return _first(views, range(count)), [contents[own[name]] for name in sorted(own)]
    if _is_old(dats, model):
        views = _all_views(renders, rendered)
        numbers = [int(name[:2]) for name in sorted(dats.files[model]) if name.endswith(".dat")]
        if max(numbers) >= len(views):
            raise InputError(f"{dats.tree.place} has view {max(numbers)} of {model}, the metadata {len(views)} lines")
        return _first(views, numbers), [_cut(dats, model, f"{number:02d}.dat") for number in numbers]
    return read_rendering(renders, model, rendered)


def _cut(dats: shapenet.DatFiles, model: str, name: str) -> bytes:
    """The PNG of a picture on white that lies in a `.dat`."""
    pictures = [array for array in dats.arrays(model, name) if array.ndim == 3]
    if len(pictures) != 1 or pictures[0].dtype != np.uint8 or pictures[0].shape[2] != 3:
        raise InputError(f"{dats.tree.place}: {dats.files[model][name]} holds no picture (S, S, 3) of uint8")
    stream = io.BytesIO()
    Image.fromarray(cut_from_white(pictures[0])).save(stream, format="PNG", compress_level=3)
    return stream.getvalue()


def _all_views(tree: Tree, files: dict[str, str]) -> r2n2.Views:
    """All lines of a model's metadata."""
    full = next((full for name, full in files.items() if name.rpartition("/")[2] == r2n2.METADATA), None)
    if full is None:
        raise InputError(
            f"{tree.place} has no {r2n2.METADATA} of a model; point fetch.r2n2.renders at ShapeNetRendering"
        )
    return r2n2.parse_views(tree.read([full])[full].decode(errors="replace"), f"{tree.place}: {full}")


def _first(views: r2n2.Views, numbers: range | list[int]) -> r2n2.Views:
    chosen = np.array(numbers)
    return r2n2.Views(views.azimuth[chosen], views.elevation[chosen], views.distance_ratio[chosen])
