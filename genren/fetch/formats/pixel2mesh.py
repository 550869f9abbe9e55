"""What Pixel2Mesh's files mean: clouds in the frame of a camera, and lists of views."""

import re
from collections import Counter

import numpy as np
import torch

from genren.data.r2n2 import Views
from genren.errors import InputError
from genren.geometry.camera import R2N2_MAX_DISTANCE, r2n2_camera

# GenerateData: positions are multiplied by it, and the camera's distance is the ratio alone. 0.57 = 1 / 1.75, so that
# it is the camera of the renders in another unit.
POINT_SCALE = 0.57

LINE = re.compile(r"(\d{8})[/_]([^/_\s]+)(?:/rendering/|_)(\d\d)\.dat$")


def object_cloud(table: np.ndarray, views: Views, view: int, place: str) -> tuple[np.ndarray, np.ndarray]:
    """Points and normals (N, 3) in the frame of the renders, from a `.dat`'s (N, 6) in that of its view's camera."""
    if table.ndim != 2 or table.shape[1] != 6 or not len(table) or table.dtype.kind != "f":
        raise InputError(f"{place} holds an array {table.shape} of {table.dtype}; expected floats (N, 6)")
    if view >= len(views):
        raise InputError(f"{place} is of view {view}, the metadata have {len(views)}; expected its line there")
    table = table.astype(np.float64)
    numbers = (torch.from_numpy(array[[view]]) for array in (views.azimuth, views.elevation, views.distance_ratio))
    camera = r2n2_camera(*numbers)
    rotation, center = camera.rotation[0].numpy(), camera.position[0].numpy() / R2N2_MAX_DISTANCE
    return (table[:, :3] @ rotation + center) / POINT_SCALE, table[:, 3:] @ rotation


def read_lists(train: str, test: str, synset: str, models: list[str]) -> tuple[dict[str, str], list[str]]:
    """Split of each model by Pixel2Mesh's lists of views, and the models that were in both, which go to train.

    In its lists views were drawn, not models: a few have views on both sides, and testing on them would test on what
    was trained on. Where the train list is missing, as it is from the repositories, a model with fewer views in the
    test list than the others is one of them. A model in neither list, where both are there, has no split.
    """
    in_train, in_test = (_views(text, synset) for text in (train, test))
    full = max(in_test.values(), default=0)
    if train:
        leaking = sorted(in_train.keys() & in_test.keys())
    else:
        leaking = sorted(model for model, views in in_test.items() if views < full)
    tested = in_test.keys() - set(leaking)
    trained = in_train.keys() if train else set(models) - tested
    splits = {model: "test" if model in tested else "train" for model in models if model in tested | trained}
    return splits, leaking


def _views(text: str, synset: str) -> Counter[str]:
    """Views per model of a synset in a list."""
    counts: Counter[str] = Counter()
    for number, line in enumerate(text.split(), start=1):
        match = LINE.search(line)
        if match is None:
            raise InputError(
                f"line {number} of a Pixel2Mesh list is {line[:80]!r}; expected .../<synset>/<model>/rendering/NN.dat"
            )
        if match[1] == synset:
            counts[match[2]] += 1
    return counts
