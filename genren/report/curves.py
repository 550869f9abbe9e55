"""Learning curves: one small panel a logged value, one line a seed."""

import io
import math
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from PIL import Image

from genren.errors import InputError

COLUMNS = 5
COLORS = ("#2166ac", "#d6604d", "#4d9221", "#762a83", "#b8860b", "#4d4d4d")


def draw_curves(folders: dict[int, Path]) -> Image.Image | None:
    """Panels of all values found as `**/<name>.tsv` with columns step and value; `folders` is by seed.

    None if no seed has curves. A value that spans more than a factor of 20 and stays positive is drawn on a log axis.
    """
    curves: dict[str, dict[int, pd.DataFrame]] = {}
    for seed, folder in folders.items():
        for path in folder.glob("**/*.tsv"):
            name = path.relative_to(folder).with_suffix("").as_posix()
            curves.setdefault(name, {})[seed] = _read(path)
    if not curves:
        return None

    lines = math.ceil(len(curves) / COLUMNS)
    height = 1.7 * lines + 0.3
    figure = Figure(figsize=(2.4 * COLUMNS, height), dpi=100, facecolor="white")
    # Margins in inches of the height; measuring the labels instead would take as long as drawing them.
    figure.subplots_adjust(0.04, 0.5 / height, 0.99, 1 - 0.25 / height, wspace=0.28, hspace=0.42)
    axes = figure.subplots(lines, COLUMNS, squeeze=False)
    for axis in axes.flat[len(curves) :]:
        axis.remove()
    for axis, (name, seeds) in zip(axes.flat, sorted(curves.items()), strict=False):
        for order, (seed, frame) in enumerate(sorted(seeds.items())):
            color = COLORS[order % len(COLORS)]
            axis.plot(frame["step"], frame["value"], color=color, linewidth=1, label=f"seed {seed}")
        values = np.concatenate([frame["value"].to_numpy() for frame in seeds.values()])
        if len(values) and values.min() > 0 and values.max() > 20 * values.min():
            axis.set_yscale("log")
        axis.set_title(name, fontsize=8)
        axis.tick_params(labelsize=6, length=2)
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(color="#e5e5e5", linewidth=0.5)
    if len(folders) > 1:
        axes.flat[0].legend(fontsize=6, frameon=False)
    figure.supxlabel("training step", fontsize=8, y=0.1 / height)

    buffer = io.BytesIO()
    figure.savefig(buffer, format="png")
    return Image.open(buffer)


def _read(path: Path) -> pd.DataFrame:
    """Columns step and value of one curve, the points that are not finite left out."""
    try:
        frame = pd.read_csv(path, sep="\t")
        if "step" not in frame or len(frame.columns) < 2:
            raise ValueError(f"columns {list(frame.columns)}, expected step and a value")
        value = pd.to_numeric(frame.drop(columns="step").iloc[:, -1])
    except (ValueError, pd.errors.ParserError) as error:
        raise InputError(f"{path} is not a curve ({error}); run the stage train again") from None
    finite = np.isfinite(value)
    return pd.DataFrame({"step": frame["step"][finite], "value": value[finite]})
