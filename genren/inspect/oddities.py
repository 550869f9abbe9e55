"""What is unusual about a store, a sentence each; an empty list is good news."""

from collections import Counter
from pathlib import Path

import numpy as np
import pandas as pd

from genren.data.store import Store, read_table
from genren.inspect.measure import Measured

# Real renders put 98 % and more of a cloud on its mask; with a literal fov or an unscaled distance it is 30-40 %.
ON_MASK = 0.9
# Of the points in front, 93 % look at the camera in a real model; where its inside was sampled too, fewer, and with
# normals turned round almost none.
FACING = 0.5


def oddities(store: Store, measured: Measured, others: dict[str, Path]) -> list[str]:
    """Sentences about images, clouds, splits, and models shared with `others`, a models.csv per category."""
    views, models = store.views, store.models
    names = views["model"] + "/" + views["view"].astype(str)
    per_model = views.groupby("model").size()
    usual = int(per_model.mode()[0]) if len(per_model) else 0
    found = [
        _some("images have no foreground", names[measured.foreground == 0]),
        _some("images are opaque all over: their alpha is no mask", names[measured.foreground == 1]),
        _some("images show an object that touches the border", names[measured.cut & (measured.foreground < 1)]),
        _some(
            f"images have under {ON_MASK:.0%} of their cloud on the mask: camera, cloud or mask are another's",
            names[measured.inside < ON_MASK],
        ),
        _some(
            f"images see under {FACING:.0%} of the near points face them: normals may point inward",
            names[measured.facing < FACING],
        ),
        _some("clouds do not fill the unit box", models["model"][np.abs(measured.extent - 1) > 1e-3]),
        _some("clouds have normals that are not of unit length", models["model"][~(measured.normal_error < 1e-3)]),
        _some(f"models have another number of images than {usual}", per_model.index[per_model != usual]),
        _some("models have images and no cloud", sorted({*views["model"]} - {*models["model"]})),
        _some("models have a cloud and no image", sorted({*models["model"]} - {*views["model"]})),
        _some("models are in two splits", _straddling(views, "model") + _straddling(models, "model")),
        _some("designs are in two splits", _straddling(models, "design")),
        _some("files are the image of several models", _repeated(views, names)),
        _some("files are the cloud of several models", _repeated(models, models["model"])),
    ]
    reasons = Counter(entry["reason"].rpartition(": ")[2][:80] for entry in store.info["skipped"])
    found += [f"{count} models were skipped: {reason}" for reason, count in reasons.most_common(5)]
    # Names of ShapeNet's models are theirs in every category; those of a folder of meshes are not.
    ours = {name for name in models["model"] if len(name) >= 16}
    for category, path in sorted(others.items()):
        found.append(_some(f"models are in {category} too", sorted(ours & set(read_table(path, ["model"])["model"]))))
    return [sentence for sentence in found if sentence]


def _some(what: str, names: pd.Series | pd.Index | list[str]) -> str:
    """How many there are and the first three, or nothing."""
    listed = list(names)
    return f"{len(listed)} {what} ({', '.join(listed[:3])}{', ...' if len(listed) > 3 else ''})" if listed else ""


def _straddling(table: pd.DataFrame, column: str) -> list[str]:
    counts = table.groupby(column)["split"].nunique()
    return list(counts.index[counts > 1])


def _repeated(table: pd.DataFrame, names: pd.Series) -> list[str]:
    """Rows whose file is, byte for byte, also that of another model."""
    if "checksum" not in table:
        return []
    owners = table.groupby("checksum")["model"].transform("nunique")
    return list(names[(owners > 1) & (table["checksum"] != "")])
