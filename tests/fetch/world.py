"""The same few models in every format that the data sets come in, written as their own tools write them."""

import io
import pickle
import shutil
import struct
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from genren.data import r2n2
from genren.data.clouds import cloud_file, read_cloud
from genren.fetch import fetch
from genren.geometry.meshfile import load_mesh
from genren.params import FetchParams, load
from tests.conftest import ROOT

SYNSET = "02933112"
VIEWS = 5
SIZE = 64
# Pixel2Mesh without its lists of train and test views.
NO_LISTS = {"train_list": "", "test_list": ""}


def settings(**changes: Any) -> FetchParams:
    """The project's settings; a dict is laid over its section."""
    params = load(ROOT / "params.yaml").fetch
    laid = {
        name: getattr(params, name).model_copy(update=value) if isinstance(value, dict) else value
        for name, value in changes.items()
    }
    return params.model_copy(update={"points": 2000, "image_size": SIZE, "views": VIEWS, "models": 3, **laid})


@dataclass(frozen=True)
class World:
    """Three models, by the names that they would have in ShapeNet."""

    raw: Path  # what our own fetch wrote, under these names
    names: list[str]

    def rendering(self, name: str) -> Path:
        """Folder of a model's images and metadata."""
        return r2n2.rendering_folder(self.raw, "cabinet", name)

    def cloud(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Its cloud in the frame of the renders."""
        return read_cloud(cloud_file(self.raw, "cabinet", name))


def make_world(folder: Path) -> World:
    """Generate, render and rename them."""
    fetch("cabinet", settings(source="procedural"), folder / "raw")
    names = ["0a1b", "1c2d", "2e3f"]
    for place in ("ShapeNetRendering", "clouds", "meshes"):
        for old, new in zip(sorted((folder / "raw" / place / SYNSET).iterdir()), names, strict=True):
            old.rename(old.with_name(new))
    return World(folder / "raw", names)


def r2n2_tgz(world: World, path: Path, extra: list[tarfile.TarInfo] | None = None) -> Path:
    """ShapeNetRendering.tgz, with another category's model in it; `extra` members come last."""
    with tarfile.open(path, "w:gz") as archive:
        archive.add(world.raw / "ShapeNetRendering", "ShapeNetRendering")
        archive.add(world.rendering(world.names[0]), "ShapeNetRendering/02958343/9f9f/rendering")
        for member in extra or []:
            archive.addfile(member, io.BytesIO(bytes(member.size)))
    return path


def camera(azimuth: float, elevation: float, ratio: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (rows X, Y, Z) and centre at distance `ratio`, word for word as Pixel2Mesh's generator has them."""
    theta, phi = azimuth * np.pi / 180, elevation * np.pi / 180
    y, reach = ratio * np.sin(phi), ratio * np.cos(phi)
    center = np.array([reach * np.cos(theta), y, reach * np.sin(theta)])
    axis_x = np.cross([0.0, 1.0, 0.0], center)
    axis_y = np.cross(center, axis_x)
    axes = np.stack([axis_x, axis_y, center])
    return axes / np.linalg.norm(axes, axis=1, keepdims=True), center


def dat_table(world: World, name: str, view: int) -> np.ndarray:
    """The (N, 6) of a `.dat`: points times 0.57 and normals, in the frame of a view's camera."""
    points, normals = world.cloud(name)
    views = r2n2.read_views(world.rendering(name))
    rotation, center = camera(views.azimuth[view], views.elevation[view], views.distance_ratio[view])
    return np.hstack([(points * 0.57 - center) @ rotation.T, normals @ rotation.T])


def python2_pickle(*arrays: np.ndarray) -> bytes:
    """A pickle of protocol 2 as Python 2 and its NumPy write them: bytes are its `str`. Several arrays are a tuple."""

    def text(data: bytes) -> bytes:
        return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + struct.pack("<i", len(data)) + data

    def number(value: int) -> bytes:
        return b"J" + struct.pack("<i", value)

    def array(value: np.ndarray) -> bytes:
        code = value.dtype.str.lstrip("<>|=").encode()
        order = b"|" if value.dtype.itemsize == 1 else b"<"
        dtype = b"cnumpy\ndtype\n" + text(code) + number(0) + number(1) + b"\x87R"
        dtype += b"(" + number(3) + text(order) + b"NNN" + number(-1) + number(-1) + number(0) + b"tb"
        shape = b"(" + b"".join(map(number, value.shape)) + b"t"
        state = b"(" + number(1) + shape + dtype + b"\x89" + text(np.ascontiguousarray(value).tobytes()) + b"t"
        head = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n(" + number(0) + b"t" + text(b"b") + b"\x87R"
        return head + state + b"b"

    body = b"".join(map(array, arrays))
    return b"\x80\x02" + (body if len(arrays) == 1 else b"(" + body + b"t") + b"."


def pixel2mesh_folder(world: World, root: Path, form: str, metadata: bool = True) -> Path:
    """The current, old or ++ form of Pixel2Mesh's data, or text clouds (`xyz`)."""
    root.mkdir(parents=True)
    for name in world.names:
        inner = root / "ShapeNetP2M" / SYNSET / name / "rendering"
        if form in ("current", "xyz"):
            inner.mkdir(parents=True)
            if metadata:
                shutil.copy(world.rendering(name) / r2n2.METADATA, inner)
        for view in range(VIEWS):
            table = dat_table(world, name, view)
            picture = np.asarray(Image.open(world.rendering(name) / r2n2.image_name(view)))
            if form == "current":
                shutil.copy(world.rendering(name) / r2n2.image_name(view), inner)
                (inner / f"{view:02d}.dat").write_bytes(python2_pickle(table))
            elif form == "xyz":
                shutil.copy(world.rendering(name) / r2n2.image_name(view), inner)
                np.savetxt(inner / f"{view:02d}.xyz", table)
            elif form == "old":
                alpha = picture[..., 3:] / 255
                white = np.round(picture[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
                data = python2_pickle(white, table.astype(np.float32))
                (root / f"{SYNSET}_{name}_{view:02d}.dat").write_bytes(data)
            elif view == 0:
                # Trained on ones hold the array, tested ones a pair whose second is.
                other = pickle.dumps((np.zeros((2, 2)), table), protocol=2)
                data = python2_pickle(table) if name != world.names[0] else other
                (root / f"{SYNSET}_{name}_00.dat").write_bytes(data)
    return root


def nmr_zip(world: World, path: Path, extra: dict[str, bytes] | None = None) -> Path:
    """NMR_Dataset.zip: masks beside RGB pictures, matrices in OpenCV's words, SoftRas's lists, a second category."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("NMR_Dataset/metadata.yaml", "02933112: {id: '02933112', name: cabinet}\n")
        for synset in (SYNSET, "02958343"):
            for name in world.names:
                home = f"NMR_Dataset/{synset}/{name if synset == SYNSET else 'car-' + name}"
                views = r2n2.read_views(world.rendering(name))
                matrices: dict[str, np.ndarray] = {}
                for view in range(VIEWS):
                    rgba = Image.open(world.rendering(name) / r2n2.image_name(view))
                    for kind, picture in (("image", rgba.convert("RGB")), ("mask", rgba.getchannel("A"))):
                        stream = io.BytesIO()
                        picture.save(stream, "PNG")
                        archive.writestr(f"{home}/{kind}/{view:04d}.png", stream.getvalue())
                    ratio = views.distance_ratio[view]
                    rotation, center = camera(views.azimuth[view], views.elevation[view], ratio)
                    world_mat = np.eye(4)
                    world_mat[:3] = np.diag([1, -1, -1]) @ np.hstack([rotation, -rotation @ (1.75 * center)[:, None]])
                    matrices[f"world_mat_{view}"] = world_mat
                    matrices[f"camera_mat_{view}"] = np.diag([35 / 16, 35 / 16, 1, 1])
                for file, arrays in (
                    ("cameras", matrices),
                    ("pointcloud", dict(zip(("points", "normals"), world.cloud(name), strict=True))),
                ):
                    stream = io.BytesIO()
                    np.savez(stream, **arrays)
                    archive.writestr(f"{home}/{file}.npz", stream.getvalue())
            if synset == SYNSET:
                for split, name in zip(("train", "val", "test"), world.names, strict=True):
                    archive.writestr(f"NMR_Dataset/{synset}/softras_{split}.lst", f"{name}\n")
        for name, data in (extra or {}).items():
            archive.writestr(name, data)
    return path


def shapenetcore_folder(world: World, root: Path, version: int) -> Path:
    """ShapeNetCore's folders; version 1 is wound inside out, version 2 keeps its pictures beside the mesh's folder."""
    for name in world.names:
        mesh = load_mesh(world.raw / "meshes" / SYNSET / name / "model.glb").normalized(diagonal=True)
        faces = mesh.faces[:, ::-1] if version == 1 else mesh.faces
        folder = root / SYNSET / name
        home = folder if version == 1 else folder / "models"
        home.mkdir(parents=True)
        (folder / "images").mkdir()
        Image.new("RGB", (4, 4), (200, 40, 40)).save(folder / "images" / "texture0.png")
        path = "images/texture0.png" if version == 1 else "../images/texture0.png"
        stem = "model" if version == 1 else "model_normalized"
        (home / f"{stem}.mtl").write_text(f"newmtl red\nKd 1 1 1\nmap_Kd {path}\n")
        lines = [
            f"mtllib {stem}.mtl",
            *(f"v {x} {y} {z}" for x, y, z in mesh.vertices.tolist()),
            "vt 0.5 0.5",
            "usemtl red",
        ]
        lines += [f"f {a}/1 {b}/1 {c}/1" for a, b, c in (faces + 1).tolist()]
        (home / f"{stem}.obj").write_text("\n".join(lines) + "\n")
    return root


def genren_folders(world: World, root: Path, paired: bool) -> tuple[Path, Path]:
    """The original's two folders: pictures, and clouds as saved tensors."""
    images, clouds = root / "images", root / "shapes"
    images.mkdir(parents=True)
    clouds.mkdir()
    for number, name in enumerate(world.names):
        for view in range(VIEWS):
            stem = f"{name}_{view:02d}" if paired else f"picture{number * VIEWS + view}"
            shutil.copy(world.rendering(name) / r2n2.image_name(view), images / f"{stem}.png")
        points, normals = map(torch.from_numpy, world.cloud(name))
        torch.save(points, clouds / f"{name}.PC.pt")
        torch.save(normals, clouds / f"{name}.normals.pt")
    return images, clouds
