"""Presets and their changes, trained for the same time at the same widths on the embedded data, side by side.

    $ python -m tests.benchmarks.presets presets --seconds 300 --seeds 0 1 2     # modern against original
    $ python -m tests.benchmarks.presets changes --seconds 150 --seeds 0         # modern, each mended wart undone

Networks have preset `mini`'s sizes and all stages its proportions; what else a preset says holds. A run first measures
its own speed on a short copy of itself and then takes as many steps as fit into the seconds. Seconds are the process's
own on one core, so that a busy machine costs no run its steps. Rows are appended to a CSV as they come, and a rerun
skips those it has; `table` prints it as Markdown.
"""

import argparse
import shutil
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from genren import params, paths
from genren.data.batches import to_tensor, to_uint8
from genren.data.store import Store
from genren.geometry.surface import sample_surface
from genren.metrics.chamfer import chamfer_l1, surface_distances
from genren.metrics.extractor import RandomConvExtractor
from genren.metrics.frechet import frechet_distance, gaussian
from genren.models import checkpoint
from genren.models.translate import drawer, encode_clouds, image_to_shape, shape_to_image
from genren.params import TrainParams
from genren.render import Renderer
from genren.train import train

ROOT = Path(__file__).parents[2]
VIEWS, POINTS = 6, 2000  # measured per test model: images, surface samples
CALIBRATION = 0.04  # share of mini's steps

# What makes a network narrow or a step small; the rest of a preset is kept.
WIDTHS = {
    "": ("batch_size", "points", "surface_samples", "projections", "xi_t_projections", "pose_buffer"),
    "model": (
        "subdivisions", "deformation_hidden", "dim_v", "dim_xi_t", "dim_embedding", "point_width", "backbone_width",
        "hypotheses", "texture_hidden", "texture_size", "texture_width", "conditioning_hidden",
    ),
    "critics": ("width", "shape_hidden"),
}  # fmt: skip

# Preset modern, with group norm throughout, and one wart put back at a time. Step 0.01, a radius of 1 and the weight of
# delta go together.
CHANGES: dict[str, dict[str, Any]] = {
    "modern, group norm throughout": {},
    "batch norm": {"model": {"norm": "batch", "texture_norm": "batch"}},
    "batch norm in the texture generator": {"model": {"texture_norm": "batch"}},
    "three angles": {"model": {"rotation": "3a"}},
    "hypotheses start alike": {"model": {"spread": False}},
    "dropout 0.5": {"model": {"dropout": 0.5}},
    "unit template, step 0.01": {
        "model": {"template_radius": 1, "step_size": 0.01},
        "weights": {name: {"delta": 0.05} for name in ("autoencoder", "randomised", "graphics", "vision")},
    },
    "mirrored camera": {"model": {"mirrored": True}},
    "unguarded projection": {"model": {"guarded": False}},
    "corners aligned": {"model": {"align_corners": True}},
    "vertex colours": {"model": {"texture_sampling": "vertex"}},
    "seam": {"model": {"seamless": False}},
    "conditioning untrained": {"model": {"train_conditioning": False}},
    "penalty on the code, mixed pairs": {"critics": {"shape_penalty": "code", "mixed_pairs": True}},
    "marginal pose match, empty buffer": {"critics": {"pose": "marginal", "remember_in_mode1": False}},
    "released mesh terms": {"mesh_terms": "released", "area_floor": 1e-5},
    "published pose and image weights": {
        "weights": {
            "randomised": {"rotation_cycle": 5, "translation_cycle": 10},
            "graphics": {"rotation_cycle": 5, "translation_cycle": 10},
            "vision": {"image_l1": 40, "image_perceptual": 200},
        }
    },
    "no average of weights": {"optim": {"ema_decay": 0}},
    "sharp mask": {"render": {"sigmainv": 1e5, "boxlen": 0.0096, "knum": 30}},
}


def narrowed(preset: str, over: dict[str, Any], scale: float) -> TrainParams:
    """A preset with mini's sizes, and `scale` times mini's steps."""
    mini = _settings("mini")
    settings = _settings(preset)
    for section, keys in WIDTHS.items():
        (settings[section] if section else settings).update(
            {key: (mini[section] if section else mini)[key] for key in keys}
        )
    steps = {name: max(round(scale * mini["stages"][name]), 1) for name in mini["stages"] if "_" not in name}
    settings["stages"] |= steps | {"freeze": 0}
    settings["optim"]["autoencoder_lr_halves_at"] = round(0.8 * steps["autoencoder"])
    settings["optim"]["ema_decay"] = mini["optim"]["ema_decay"] if settings["optim"]["ema_decay"] else 0
    settings["engine"] |= {"precision": "float32", "device": "cpu"}
    settings |= {"log_every": 10, "checkpoint_every": 10_000}
    return params.parse(TrainParams, _laid_over(settings, over), "presets")


def run(category: str, seed: int, preset: str, over: dict[str, Any], seconds: float) -> dict[str, float]:
    """Train for so many seconds and measure on the test split."""
    data = paths.processed(category)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        train(category, seed, narrowed(preset, over, 0), data, out / "warm")  # kernels are loaded, caches filled
        start = time.process_time()
        train(category, seed, narrowed(preset, over, CALIBRATION), data, out / "short")
        scale = CALIBRATION * seconds / (time.process_time() - start)
        settings = narrowed(preset, over, scale)
        start = time.process_time()
        train(category, seed, settings, data, out / "run")
        spent = time.process_time() - start
        trained = checkpoint.load(out / "run" / "model.safetensors", category, settings)
    return {"seconds": spent, "steps": settings.stages.total} | measure(trained, Store.open(data))


@torch.no_grad()
def measure(trained: checkpoint.Checkpoint, store: Store) -> dict[str, float]:
    """Chamfer distances image -> shape and shape -> shape, Fréchet distance of generated renders, use of hypotheses."""
    torch.manual_seed(0)
    model, generator = trained.model, torch.Generator().manual_seed(0)
    clouds, rows = store.clouds_of("test"), store.images_of("test")
    views = len(rows) // len(clouds)
    chosen = rows.reshape(len(clouds), views)[:, : min(VIEWS, views)].flatten()
    images = to_tensor(torch.from_numpy(np.ascontiguousarray(store.images[chosen])))
    points, normals = (
        torch.from_numpy(np.ascontiguousarray(a[clouds, :POINTS])) for a in (store.points, store.normals)
    )
    draw = drawer(model, Renderer(model.template_faces, model.camera, images.shape[-1], trained.params.render))
    to_shape = image_to_shape(model, draw, images, 64)
    encoded = encode_clouds(model, points, normals, 64)
    to_image = shape_to_image(model, draw, encoded[torch.arange(len(images)) % len(points)], 64)

    def chamfer(vertices: torch.Tensor, target: torch.Tensor) -> float:
        samples, _ = sample_surface(vertices, model.template_faces, POINTS, generator)
        return float(chamfer_l1(surface_distances(samples, target)).mean())

    extractor = RandomConvExtractor()
    features = [
        gaussian(extractor(torch.from_numpy(to_uint8(batch)).permute(0, 3, 1, 2)))
        for batch in (images, to_image.render)
    ]
    owners = points.repeat_interleave(min(VIEWS, views), dim=0)
    best = [model.infer(batch, draw).best for batch in images.split(64)]
    counts = torch.cat(best).bincount(minlength=model.params.hypotheses).double() / len(images)
    up = to_shape.rotation[:, :, 2]  # where the object's front points
    return {
        "chamfer_l1/image_to_shape": chamfer(to_shape.vertices, owners),
        "chamfer_l1/shape_to_shape": chamfer(encoded.vertices, points),
        "frechet_distance": frechet_distance(*features),
        "l1/rerender": float((to_shape.render - images).abs().mean()),
        "most_used_hypothesis": float(counts.max()),
        # Length of the mean front: 1 where all images are seen from one side, 0 where from all.
        "pose_concentration": float(up.mean(0).norm()),
    }


def _settings(preset: str) -> dict[str, Any]:
    settings = params.with_preset({"preset": preset}, "presets")
    return {key: dict(value) if isinstance(value, dict) else value for key, value in settings.items()}


def _laid_over(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        result[key] = _laid_over(result.get(key, {}), value) if isinstance(value, dict) else value
    return result


def table(report: Path) -> str:
    """Means over categories and seeds, and the change of the two headline numbers against the first row."""
    rows = pd.read_csv(report)
    groups = rows.groupby("name", sort=False)
    means = groups.mean(numeric_only=True).drop(columns="seed")
    means.insert(0, "runs", groups.size())
    lines = [["", *means.columns], [":--", *["--:"] * means.shape[1]]]
    for name, row in means.iterrows():
        cells = [f"{value:.4g}" for value in row]
        for column in ("chamfer_l1/image_to_shape", "frechet_distance"):
            place = means.columns.get_loc(column)
            cells[place] += f" ({row.iloc[place] / means[column].iloc[0] - 1:+.0%})"
        lines.append([str(name), *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Run what is asked for, or print the table of what was run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["presets", "changes", "table"])
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--categories", nargs="+", default=["chair"])
    parser.add_argument("--report", type=Path, default=ROOT / "work" / "presets.csv")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    runs = {"original": ("original", {}), "modern": ("modern", {})}
    if arguments.what == "changes":
        runs = {
            name: ("modern", _laid_over({"model": {"texture_norm": "group"}}, over)) for name, over in CHANGES.items()
        }
    if arguments.what == "table":
        print(table(arguments.report))
        return
    arguments.report.parent.mkdir(exist_ok=True)
    for seed in arguments.seeds:
        for category in arguments.categories:
            for name, (preset, over) in runs.items():
                done = pd.read_csv(arguments.report) if arguments.report.exists() else pd.DataFrame()
                key = {"name": name, "category": category, "seed": seed}
                if len(done) and (done[list(key)] == pd.Series(key)).all(axis=1).any():
                    continue
                row = key | run(category, seed, preset, over, arguments.seconds)
                pd.concat([done, pd.DataFrame([row])]).to_csv(arguments.report, index=False)
                print(row, flush=True)
                shutil.rmtree(paths.root() / "work" / "unfinished", ignore_errors=True)


if __name__ == "__main__":
    main()
