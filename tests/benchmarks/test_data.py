"""Packing, sampling and reading data, each beside what it is measured against. Run by `make bench`.

`python -m tests.benchmarks.data bench.json` prints the table of docs/data.md, with the extrapolation to ShapeNet.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import trimesh
from PIL import Image

from genren import params
from genren.data import r2n2
from genren.data.batches import Batches
from genren.data.clouds import cloud_file
from genren.data.raw import Task
from genren.data.store import Store
from genren.fetch import fetch
from genren.fetch.zips import FileReader, Zip
from genren.geometry.sampling import sample_surface
from genren.preprocess import preprocess
from genren.preprocess.pool import packed

ROOT = Path(__file__).parents[2]
P = params.load(ROOT / "params.yaml")
MODELS, VIEWS = 417, 24  # 10,008 images
SOURCES = 6  # of which the others are links


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10,008 renders of cabinets at 137 pixels with their clouds, in the layout that fetch writes."""
    folder = tmp_path_factory.mktemp("data") / "raw"
    fetch("cabinet", P.fetch.model_copy(update={"models": SOURCES, "views": VIEWS}), folder)
    names = r2n2.list_models(folder, "cabinet")
    for index in range(MODELS - SOURCES):
        for place in (r2n2.rendering_folder, cloud_file):
            source = place(folder, "cabinet", names[index % SOURCES])
            source = source if source.is_dir() else source.parent
            target = Path(str(source).replace(names[index % SOURCES], f"copy-{index:04d}"))
            target.mkdir(parents=True)
            for file in source.iterdir():
                os.link(file, target / file.name)
    (folder / "models.csv").unlink()
    return folder


@pytest.mark.parametrize("who", ["plain PIL loop", "preprocess, 1 process", "preprocess, 2 processes"])
def test_images(benchmark: Any, raw: Path, who: str):
    """10,008 images from 137 to 64 pixels: decode and shrink, as a plain loop does it and as preprocess does."""
    pictures = sorted(raw.glob("ShapeNetRendering/*/*/rendering/*.png"))
    names = r2n2.list_models(raw, "cabinet")

    def plain() -> None:
        for path in pictures:
            with Image.open(path) as image:
                np.asarray(image.convert("RGBA").resize((64, 64)))

    def ours() -> None:
        tasks = [Task(raw, "cabinet", name, "images", 64, P.preprocess.points, 0) for name in names]
        for _ in packed(tasks, 2 if "2" in who else 1):
            pass

    benchmark.extra_info.update(part="images", who=who, images=len(pictures))
    benchmark.pedantic(plain if who == "plain PIL loop" else ours, rounds=2, iterations=1)


def test_store(benchmark: Any, raw: Path, tmp_path: Path):
    """The whole step: images, cameras, clouds, tables, on two processes."""
    p = P.preprocess.model_copy(update={"workers": 2})
    benchmark.extra_info.update(part="store", images=MODELS * VIEWS, models=MODELS)
    benchmark.pedantic(lambda: preprocess("cabinet", p, raw, tmp_path / "out"), rounds=2, iterations=1)
    benchmark.extra_info["bytes"] = sum(path.stat().st_size for path in (tmp_path / "out").iterdir())
    benchmark.extra_info["raw_bytes"] = sum(path.stat().st_size for path in raw.rglob("*") if path.is_file())


@pytest.mark.parametrize("models", [60, MODELS])
def test_memory(benchmark: Any, raw: Path, tmp_path: Path, models: int):
    """Peak memory of preprocess in a process of its own, for few models and for many: it should not grow."""
    part = tmp_path / "raw"
    for name in r2n2.list_models(raw, "cabinet")[:models]:
        for place in ("ShapeNetRendering", "clouds"):
            target = part / place / "02933112" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(raw / place / "02933112" / name)
    code = f"""
import resource
from pathlib import Path
from genren import params
from genren.preprocess import preprocess
p = params.load(Path({str(ROOT / "params.yaml")!r})).preprocess.model_copy(update={{"workers": 1}})
preprocess("cabinet", p, Path({str(part)!r}), Path({str(tmp_path / "out")!r}))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""

    def run() -> str:
        return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    printed = benchmark.pedantic(run, rounds=1, iterations=1)
    benchmark.extra_info.update(part="memory", models=models, peak_mb=int(printed.split()[-1]) / 1024)


@pytest.mark.parametrize("subdivisions", [3, 5])
@pytest.mark.parametrize("who", ["genren", "trimesh"])
def test_sample_surface(benchmark: Any, who: str, subdivisions: int):
    """16,384 oriented points from a mesh as it comes from a file, and how evenly they fall."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions)
    vertices, faces = np.array(sphere.vertices), np.array(sphere.faces)

    def ours(seed: int) -> np.ndarray:
        return sample_surface(vertices, faces, 16384, np.random.default_rng(seed))[0]

    def theirs(seed: int) -> np.ndarray:
        mesh = trimesh.Trimesh(vertices, faces, process=False)  # nothing cached from the last time
        points, chosen = trimesh.sample.sample_surface(mesh, 16384, seed=seed)
        assert len(mesh.face_normals[chosen]) == 16384
        return points

    sample = ours if who == "genren" else theirs
    benchmark.extra_info.update(part="sampling", who=who, faces=len(faces), chi2=_unevenness(sample))
    benchmark(sample, 0)


def _unevenness(sample: Any) -> float:
    """Chi-squared per degree of freedom of counts in 20 slices of equal area, over 40 samples: 1 is chance."""
    counts = [np.histogram(sample(seed)[:, 2], bins=20, range=(-1, 1))[0] for seed in range(40)]
    expected = 16384 / 20
    return float(np.mean([((count - expected) ** 2 / expected).sum() / 19 for count in counts]))


@pytest.fixture(scope="module")
def store(raw: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    """The packed store of the renders."""
    folder = tmp_path_factory.mktemp("store") / "cabinet"
    preprocess("cabinet", P.preprocess.model_copy(update={"workers": 2}), raw, folder)
    return Store.open(folder)


def test_batch(benchmark: Any, store: Store):
    """One batch as training draws it: 64 random images, 1,000 random points of each of 64 random clouds."""
    batches = Batches(store, "train", 64)
    benchmark.extra_info.update(part="batch", who="as training draws it")
    benchmark(lambda: (batches.draw_images(), batches.draw_clouds(1000)))


def test_batch_from_disk(benchmark: Any, store: Store):
    """The same rows from the mapped files, without a copy in memory: images whole, 1,000 points of each cloud."""
    rng = np.random.default_rng(0)

    def read() -> None:
        images = np.sort(rng.integers(len(store.images), size=64))
        clouds, first = np.sort(rng.integers(len(store.points), size=64)), rng.integers(9000)
        store.images[images]
        store.points[clouds, first : first + 1000]
        store.normals[clouds, first : first + 1000]

    benchmark.extra_info.update(part="batch", who="from the mapped files")
    benchmark(read)


def test_zip_directory(benchmark: Any, tmp_path: Path):
    """Reading the directory of an archive of 100,000 members; NMR_Dataset.zip has some 2.2 million."""
    with zipfile.ZipFile(tmp_path / "data.zip", "w") as archive:
        for index in range(100_000):
            synset = "02933112" if index % 13 == 0 else "02958343"
            archive.writestr(f"NMR_Dataset/{synset}/{index // 50:032x}/image/{index % 50:04d}.png", b"")
    benchmark.extra_info.update(part="zip", members=100_000)
    benchmark.pedantic(lambda: Zip("data.zip", FileReader(tmp_path / "data.zip"), "02933112"), rounds=2, iterations=1)


def report(path: Path) -> list[dict[str, Any]]:
    """Rows of a report: what was noted, and the median in seconds."""
    runs = json.loads(path.read_text())["benchmarks"]
    return [{**run["extra_info"], "seconds": run["stats"]["median"]} for run in runs if "part" in run["extra_info"]]
