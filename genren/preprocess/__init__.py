"""Step `preprocess`: one category's renders and clouds in, the packed store out."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from rich.progress import track

from genren.data import r2n2
from genren.data.clouds import Cloud, canonical_cloud, cloud_file, read_cloud
from genren.data.images import resize_area
from genren.data.splits import SPLITS, split_designs
from genren.data.store import MODEL_COLUMNS, VIEW_COLUMNS, RowWriter, read_table
from genren.errors import InputError
from genren.files import replacing_folder, write_json
from genren.params import PreprocessParams


def preprocess(category: str, params: PreprocessParams, raw: Path, out: Path) -> dict[str, Any]:
    """Write the store `out` anew from the `raw` folder of a category; returns the content of its store.json.

    A model of which any file is damaged is left out as a whole, counted and named. If none is left, or fewer than three
    designs are, it is an error, and `out` stays as it was.
    """
    designs = _designs(raw)
    # A model that only the table knows is missing, and will be named as such.
    names = sorted({*r2n2.list_models(raw, category), *designs})
    models: list[dict[str, Any]] = []
    views: list[pd.DataFrame] = []
    skipped: list[dict[str, str]] = []
    dropped = 0

    with replacing_folder(out) as folder:
        size, points = params.img_size, params.points
        with (
            RowWriter(folder / "images.npy", (size, size, 4), np.uint8) as image_rows,
            RowWriter(folder / "points.npy", (points, 3), np.float32) as point_rows,
            RowWriter(folder / "normals.npy", (points, 3), np.float32) as normal_rows,
        ):
            for name in track(names, f"preprocess {category}"):
                try:
                    model_views, images = _read_images(r2n2.rendering_folder(raw, category, name), params.img_size)
                    cloud = _read_cloud(category, name, params, raw)
                except InputError as error:
                    skipped.append({"model": name, "reason": str(error)})
                    continue
                image_rows.append(images)
                point_rows.append(cloud.points[None])
                normal_rows.append(cloud.normals[None])
                views.append(pd.DataFrame({"model": name, "view": range(len(model_views)), **vars(model_views)}))
                center = dict(zip(("center_x", "center_y", "center_z"), cloud.center.tolist(), strict=True))
                models.append({"model": name, "design": designs.get(name, name), **center, "scale": cloud.scale})
                dropped += cloud.dropped
        if not models:
            raise InputError(
                f"none of the {len(skipped)} {category} models can be used; the first: {skipped[0]['reason']}"
            )

        # Splits come last: only whole models count.
        fractions = (params.train, params.val, params.test)
        model_table = pd.DataFrame(models)
        model_table["split"] = split_designs(model_table["design"].tolist(), fractions, params.seed)
        view_table = pd.concat(views, ignore_index=True)
        view_table["split"] = view_table["model"].map(model_table.set_index("model")["split"])
        model_table[MODEL_COLUMNS].to_csv(folder / "models.csv", index=False)
        view_table[VIEW_COLUMNS].to_csv(folder / "views.csv", index=False)
        info = {
            "category": category,
            "settings": params.model_dump(),
            "models": _counts(model_table["split"]),
            "designs": _counts(model_table.drop_duplicates("design")["split"]),
            "images": _counts(view_table["split"]),
            "dropped_points": dropped,
            "skipped": skipped,
        }
        write_json(folder / "store.json", info)
    return info


def _designs(raw: Path) -> dict[str, str]:
    """Model -> design from models.csv; in a downloaded archive, which has none, every model is its own design."""
    path = raw / "models.csv"
    if not path.is_file():
        return {}
    table = read_table(path, ["model", "design"])
    return dict(zip(table["model"], table["design"], strict=True))


def _read_images(folder: Path, size: int) -> tuple[r2n2.Views, np.ndarray]:
    """Views of one model and their images, shrunk to (N, size, size, 4); all must be whole and of one size."""
    views = r2n2.read_views(folder)
    images: list[np.ndarray] = []
    for index in range(len(views)):
        path = folder / r2n2.image_name(index)
        images.append(r2n2.read_image(path, len(images[0]) if images else None))
        if len(images[0]) < size:
            raise InputError(f"{path} is {len(images[0])} pixels wide; expected at least img_size, {size}")
    return views, resize_area(np.stack(images), size)


def _read_cloud(category: str, name: str, params: PreprocessParams, raw: Path) -> Cloud:
    """Cloud of one model in the canonical frame."""
    path = cloud_file(raw, category, name)
    points, normals = read_cloud(path)
    # A model's points depend on its own name, not on which other models there are.
    rng = np.random.default_rng([params.seed, *f"{category}/{name}".encode()])
    try:
        return canonical_cloud(points, normals, params.points, rng)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _counts(splits: pd.Series) -> dict[str, int]:
    return {split: int((splits == split).sum()) for split in SPLITS}
