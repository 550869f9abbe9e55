"""A made-up project folder with everything that `report` reads, for its tests and for looking at the page."""

import csv
import json
import math
import random
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw

N = "_n768"


def metrics(quality: float, noise: random.Random) -> dict[str, float]:
    """Scores of a system, better with lower quality number; 1 is about what a small model reaches."""
    q = quality * noise.uniform(0.97, 1.03)
    return {
        "chamfer_l1/image_to_shape": 0.03 * q,
        "chamfer_l1/shape_to_shape": 0.02 * q,
        "chamfer_l2/image_to_shape": 0.002 * q * q,
        "chamfer_l2_x1000/image_to_shape/pixel2mesh": 0.5 * q * q,
        "fscore_1e-4/image_to_shape/pixel2mesh": 0.5 / q,
        "fscore_1e-4/image_to_shape": 0.3 / q,
        "fscore_1e-4/shape_to_shape": 0.5 / q,
        "precision_1e-4/image_to_shape": 0.31 / q,
        "silhouette_iou": 0.85 / q**0.3,
        "rerender_l1": 0.04 * q,
        "psnr": 21.0 - 5 * math.log(q),
        f"fd_randconv448_seed0{N}": 0.3 * q * q,
        f"kd_randconv448_seed0{N}": 0.0012 * q * q,
        f"kd_randconv448_seed0{N}_se": 0.0001,
    }


def record(category: str, seed: int) -> dict[str, Any]:
    """The metrics file of one evaluation."""
    noise = random.Random(f"{category}-{seed}")
    floor = metrics(0.4, noise)
    model = metrics(1.0, noise)
    return {
        "category": category,
        "seed": seed,
        "metrics": model,
        "baselines": {
            "untrained": metrics(3.0, noise),
            "mean_shape": {"chamfer_l1/image_to_shape": 0.05, "chamfer_l1/shape_to_shape": 0.05},
            "nearest_image": {"chamfer_l1/image_to_shape": 0.035},
        },
        "floor": {
            "chamfer_l1/half_of_the_samples": floor["chamfer_l1/image_to_shape"],
            "fscore_1e-4/half_of_the_samples": floor["fscore_1e-4/image_to_shape"],
            f"fd_randconv448_seed0{N}": floor[f"fd_randconv448_seed0{N}"],
        },
        "intervals": {"model": {name: (0.9 * model[name], 1.1 * model[name]) for name in ("psnr", "silhouette_iou")}},
        "over_views": {"model": {"psnr": model["psnr"] + 0.5, "silhouette_iou": model["silhouette_iou"]}},
        "comparable": {
            "dataset": "made up",
            "split": "test",
            "models": 32,
            "images": 768,
            "surface_points": 10000,
            "frame": "canonical, longest side 1",
            "background": "black",
            "image_size": 64,
            "extractor": "randconv448_seed0",
            "preset": "mini",
            "source": "procedural",
            "code_version": "0.1.0",
        },
    }


def box(width: float, color: tuple[int, int, int], size: int = 64) -> Image.Image:
    """A picture of a box in two shades on a transparent ground."""
    image = Image.new("RGBA", (size, size), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    left, right = size * (0.5 - width / 2), size * (0.5 + width / 2)
    draw.rectangle((left, size * 0.2, right, size * 0.85), fill=(*color, 255))
    draw.rectangle((left, size * 0.2, right, size * 0.35), fill=(*(min(255, c + 50) for c in color), 255))
    return image


def strip(width: float, color: tuple[int, int, int], size: int = 64) -> Image.Image:
    """Five boxes side by side."""
    image = Image.new("RGBA", (5 * size, size), (0, 0, 0, 0))
    for view in range(5):
        image.paste(box(width * (0.7 + 0.1 * view), color, size), (view * size, 0))
    return image


def write_samples(folder: Path, noise: random.Random, count: int = 3) -> None:
    """Pictures of reconstructions and generations, and the per-model rows."""
    for kind, first in (("reconstructions", ("input", "rerender")), ("generations", ("render",))):
        (folder / kind).mkdir(parents=True)
        for item in range(count):
            color = (noise.randrange(60, 200), noise.randrange(60, 200), noise.randrange(60, 200))
            width = noise.uniform(0.3, 0.7)
            for name in first:
                box(width, color).save(folder / kind / f"{item:02d}_{name}.png")
            strip(width, color).save(folder / kind / f"{item:02d}_views.png")
    with (folder / "rows.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["model", "chamfer_l1/image_to_shape", "silhouette_iou/rerender"])
        writer.writerows([f"model{i:03d}", 0.01 * (i % 7) + 0.01, 0.9 - 0.01 * i] for i in range(12))


def write_curves(folder: Path, noise: random.Random, steps: int = 60) -> None:
    """Learning curves in dvclive's layout."""
    for name in ("vision/image", "vision/silhouette", "graphics/shape", "critics/image/loss", "autoencoder/chamfer"):
        path = folder / "live" / "plots" / "metrics" / f"{name}.tsv"
        path.parent.mkdir(parents=True, exist_ok=True)
        rate = noise.uniform(0.02, 0.08)
        rows = [f"{s * 10}\t{math.exp(-rate * s) * noise.uniform(0.8, 1.2)}" for s in range(steps)]
        path.write_text("\n".join([f"step\t{path.stem}", *rows]) + "\n")


def write_costs(folder: Path, category: str, seeds: list[int]) -> None:
    """One note a stage."""
    folder.mkdir(parents=True, exist_ok=True)
    stages = [("fetch", category, 60.4), ("preprocess", category, 5.2)]
    for seed in seeds:
        stages += [(step, f"{category}-{seed}", cost) for step, cost in (("train", 300.1), ("baseline", 1.0))]
        stages.append(("evaluate", f"{category}-{seed}", 24.0))
    for step, item, seconds in stages:
        cost = {"step": step, "item": item, "seconds": seconds, "peak_memory_gb": 1.2, "cpu_count": 2}
        (folder / f"{step}-{item}.json").write_text(json.dumps(cost | {"torch_version": "2.13.0"}))


def write_project(root: Path, categories: list[str], seeds: list[int]) -> None:
    """All inputs of the report below `root`, and a README with markers."""
    (root / "reports" / "metrics").mkdir(parents=True)
    for category in categories:
        for seed in seeds:
            noise = random.Random(f"{category}-{seed}")
            path = root / "reports" / "metrics" / f"{category}-{seed}.json"
            path.write_text(json.dumps(record(category, seed)))
            write_samples(root / "reports" / "samples" / f"{category}-{seed}", noise)
            write_curves(root / "runs" / f"{category}-{seed}", noise)
        write_costs(root / "reports" / "costs", category, seeds)
    (root / "README.md").write_text("# Title\n\n<!-- results:begin -->\nold\n<!-- results:end -->\n\nAfter.\n")
