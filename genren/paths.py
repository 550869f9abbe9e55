"""Where every file of the pipeline lies, relative to the project's root. The only file that knows.

The root is the working directory, as DVC runs its stages, or the folder that GENREN_ROOT names.
"""

import os
from pathlib import Path


def root() -> Path:
    """The project's root folder."""
    return Path(os.environ.get("GENREN_ROOT", "."))


def params() -> Path:
    """The parameters of all stages."""
    return root() / "params.yaml"


def checksums() -> Path:
    """What downloaded files must be; in git."""
    return root() / "data" / "checksums.csv"


def raw(category: str) -> Path:
    """What `fetch` writes: renders in the layout of 3D-R2N2, clouds, meshes."""
    return root() / "data" / "raw" / category


def processed(category: str) -> Path:
    """What `preprocess` writes: the packed store."""
    return root() / "data" / "processed" / category


def inspection(category: str) -> Path:
    """What `inspect` writes: a contact sheet and a summary."""
    return root() / "work" / "inspect" / category


def run(category: str, seed: int) -> Path:
    """What `train` writes: the checkpoint and the live metrics of one finished run."""
    return root() / "runs" / f"{category}-{seed}"


def model(category: str, seed: int) -> Path:
    """The checkpoint in a run's folder."""
    return run(category, seed) / "model.safetensors"


def baseline(category: str, seed: int) -> Path:
    """What `baseline` writes: the image generator that renders are held against, where it was trained."""
    return root() / "runs" / f"{category}-{seed}-baseline"


def work(name: str) -> Path:
    """Ignored scratch of unfinished runs, kept over interruptions; `name` carries a hash of the config."""
    return root() / "work" / name


def metrics(category: str, seed: int) -> Path:
    """The numbers that `evaluate` writes."""
    return root() / "reports" / "metrics" / f"{category}-{seed}.json"


def samples(category: str, seed: int) -> Path:
    """The per-model rows, pictures and meshes that `evaluate` writes for the report."""
    return root() / "reports" / "samples" / f"{category}-{seed}"


def cost(step: str, item: str) -> Path:
    """Seconds and peak memory of one stage run."""
    return root() / "reports" / "costs" / f"{step}-{item}.json"


def reports() -> Path:
    """The folder of everything that is read by people."""
    return root() / "reports"
