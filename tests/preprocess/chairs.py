"""A few chairs as `fetch` leaves them, ways to damage them, and small settings."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from genren.data import r2n2
from genren.data.clouds import cloud_file, write_cloud
from genren.params import PreprocessParams

NAMES = [f"model-{index}" for index in range(6)]


def params(**changes: Any) -> PreprocessParams:
    """Small settings."""
    return PreprocessParams(
        **{
            "img_size": 8,
            "points": 1000,
            "workers": 1,
            "split": "own",
            "train": 0.6,
            "val": 0.2,
            "test": 0.2,
            "seed": 0,
        }
        | changes
    )


def write_chairs(root: Path) -> Path:
    """Six chairs with two noisy views each, in the layout that fetch writes; the first two are of one design."""
    for name in NAMES:
        rng = np.random.default_rng([*name.encode()])
        rendering = r2n2.rendering_folder(root, "chair", name)
        rendering.mkdir(parents=True)
        r2n2.write_views(rendering, r2n2.draw_views(2, rng))
        for index in range(2):
            pixels = rng.integers(0, 256, (21, 21, 4), dtype=np.uint8)
            r2n2.write_image(rendering / r2n2.image_name(index), pixels)
        points = rng.random((1500, 3)) * rng.random(3)
        write_cloud(cloud_file(root, "chair", name), points, rng.normal(size=(1500, 3)))
    rows = "".join(f"{name},{'pair' if name in NAMES[:2] else name},x\n" for name in NAMES)
    (root / "models.csv").write_text(f"model,design,source\n{rows}")
    return root


def damage(raw: Path, name: str, kind: str) -> None:
    """Damage one model."""
    rendering = r2n2.rendering_folder(raw, "chair", name)
    first, second = rendering / "00.png", rendering / "01.png"
    if kind == "truncated image":
        second.write_bytes(second.read_bytes()[:200])
    elif kind == "no alpha":
        Image.open(first).convert("RGB").save(first)
    elif kind == "sizes differ":
        Image.open(second).crop((0, 0, 20, 20)).save(second)
    elif kind == "missing image":
        second.unlink()
    elif kind == "no folder":
        shutil.rmtree(rendering.parent)
    elif kind == "no metadata":
        (rendering / "rendering_metadata.txt").unlink()
    elif kind == "no normals":
        np.savez(cloud_file(raw, "chair", name), points=np.ones((5, 3)))
    else:
        write_cloud(cloud_file(raw, "chair", name), np.ones((5, 3)), np.zeros((5, 3)))
