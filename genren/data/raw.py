"""One model of `data/raw`: read, checked, shrunk and brought into the canonical frame. Runs in processes of its own."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from genren.data import r2n2
from genren.data.cameras import Cameras, read_cameras
from genren.data.clouds import Cloud, canonical_cloud, cloud_file, parse_cloud
from genren.data.images import resize_area
from genren.errors import InputError


@dataclass(frozen=True)
class Task:
    """What to read, and how to pack it."""

    raw: Path
    category: str
    name: str
    parts: str  # both, images or cloud
    img_size: int  # pixels, square
    points: int
    seed: int


@dataclass(frozen=True)
class Views:
    """A model's images."""

    images: np.ndarray  # (N, S, S, 4) uint8
    checksums: list[str]  # SHA-256 of the files
    metadata: r2n2.Views | None  # 3D-R2N2's, where there are no matrices
    cameras: Cameras | None


@dataclass(frozen=True)
class Packed:
    """A model as the store keeps it."""

    views: Views | None
    cloud: Cloud | None
    cloud_checksum: str


def pack(task: Task) -> Packed | str:
    """The packed model, or why it cannot be: an error would lose its sentence on the way between processes."""
    try:
        views = None if task.parts == "cloud" else _read_views(task)
        cloud, checksum = (None, "") if task.parts == "images" else _read_cloud(task)
    except InputError as error:
        return str(error)
    return Packed(views, cloud, checksum)


def _read_views(task: Task) -> Views:
    """A model's images, shrunk; all must be whole and of one size."""
    folder = r2n2.rendering_folder(task.raw, task.category, task.name)
    cameras = read_cameras(folder)
    metadata = r2n2.read_views(folder) if cameras is None else None
    images: list[np.ndarray] = []
    checksums: list[str] = []
    size = None
    for index in range(len(cameras or metadata or ())):
        path = folder / r2n2.image_name(index)
        if not path.is_file():
            raise InputError(f"{path} does not exist; expected an image per camera")
        data = path.read_bytes()
        pixels = r2n2.decode_image(data, str(path), size)
        size = len(pixels)
        if size < task.img_size:
            raise InputError(f"{path} is {size} pixels wide; expected at least img_size, {task.img_size}")
        images.append(resize_area(pixels, task.img_size))
        checksums.append(hashlib.sha256(data).hexdigest())
    return Views(np.stack(images), checksums, metadata, cameras)


def _read_cloud(task: Task) -> tuple[Cloud, str]:
    """Cloud of a model in the canonical frame, and the file's SHA-256."""
    path = cloud_file(task.raw, task.category, task.name)
    if not path.is_file():
        raise InputError(f"{path} does not exist; expected an .npz file of points and normals, each (N, 3)")
    data = path.read_bytes()
    points, normals = parse_cloud(data, str(path))
    # A model's points depend on its own name, not on which other models there are.
    rng = np.random.default_rng([task.seed, *f"{task.category}/{task.name}".encode()])
    try:
        return canonical_cloud(points, normals, task.points, rng), hashlib.sha256(data).hexdigest()
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
