"""The contact sheet: a few models' images, and their clouds drawn through the same cameras."""

from pathlib import Path

import numpy as np
import torch
from PIL import Image

from genren.data.store import Store
from genren.files import replacing
from genren.geometry.camera import Camera, fixed_camera

MODELS, VIEWS, SCALE = 8, 4, 2  # rows, pairs per row, screen pixels per image pixel
PAPER = 235  # grey level behind both


def contact_sheet(store: Store, path: Path) -> None:
    """Write a sheet of up to eight models, spread over the store: each image beside its cloud, coloured by normals.

    Where the camera is unknown the cloud is seen by the method's.
    """
    size = store.images.shape[1] * SCALE
    names = list(dict.fromkeys([*store.models["model"], *store.views["model"]]))
    chosen = [names[index] for index in np.linspace(0, len(names) - 1, min(MODELS, len(names))).astype(int)]
    sheet = np.full((len(chosen) * size, 2 * VIEWS * size, 3), PAPER, dtype=np.uint8)
    clouds = {name: index for index, name in enumerate(store.models["model"])}
    for row, name in enumerate(chosen):
        rows = np.flatnonzero(store.views["model"] == name)[:VIEWS]
        for column in range(VIEWS if len(rows) else 1):
            place = np.s_[row * size : (row + 1) * size]
            left = 2 * column * size
            if column < len(rows):
                sheet[place, left : left + size] = _over_paper(store.images[rows[column]])
            if name in clouds and (column < len(rows) or column == 0):
                camera = _camera(store, rows[column : column + 1])
                sheet[place, left + size : left + 2 * size] = _drawn(store, clouds[name], camera, size)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        Image.fromarray(sheet).save(temporary, format="PNG")


def _camera(store: Store, rows: np.ndarray) -> Camera:
    if len(rows) and store.cameras is not None and np.isfinite(store.cameras[rows]).all():
        return store.camera(rows)
    return fixed_camera()


def _over_paper(image: np.ndarray) -> np.ndarray:
    alpha = image[..., 3:] / 255
    rgb = np.round(image[..., :3] * alpha + PAPER * (1 - alpha)).astype(np.uint8)
    return rgb.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def _drawn(store: Store, index: int, camera: Camera, size: int) -> np.ndarray:
    """Points, far ones first, coloured by their normals as (n + 1) / 2."""
    points, normals = (torch.from_numpy(array[index].copy()) for array in (store.points, store.normals))
    places = camera.to_camera(points[None])
    ndc = camera.project(places)[0].numpy() * [1, -1]
    pixels = np.floor((ndc + 1) / 2 * size).astype(np.int64)
    order = np.argsort(places[0, :, 2].numpy())
    order = order[((pixels[order] >= 0) & (pixels[order] < size)).all(axis=1)]
    picture = np.full((size, size, 3), PAPER, dtype=np.uint8)
    picture[pixels[order, 1], pixels[order, 0]] = np.round((np.nan_to_num(normals[order].numpy()) + 1) * 127.5).clip(
        0, 255
    )
    return picture
