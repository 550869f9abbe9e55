"""What the sources that are made of ShapeNet's models share: clouds from one data set for the renders of another."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from genren.categories import synset
from genren.data import r2n2
from genren.data.clouds import parse_cloud
from genren.errors import InputError
from genren.fetch.formats import pixel2mesh
from genren.fetch.formats.pickles import read_pickle
from genren.fetch.formats.tables import read_xyz
from genren.fetch.trees import Downloads, Tree, models_of
from genren.params import FetchParams

# Points and normals (N, 3) of a model in the frame of the renders.
Cloud = tuple[np.ndarray, np.ndarray]

FLAT = re.compile(r"\d{8}_(.+)_(\d\d)\.dat")


@dataclass(frozen=True)
class Clouds:
    """A data set's clouds of one category."""

    place: str
    models: set[str]
    read: Callable[[str, r2n2.Views], Cloud]  # of a model, given where its renders were taken from


@dataclass
class DatFiles:
    """Pixel2Mesh's files of one category, in whichever of its three forms."""

    tree: Tree
    files: dict[str, dict[str, str]] = field(
        default_factory=dict
    )  # model -> "00.dat", "00.png", ... -> name in the tree

    @classmethod
    def of(cls, tree: Tree, category: str) -> "DatFiles":
        """Find them: `<synset>/<model>/rendering/NN.dat`, or `<synset>_<model>_NN.dat` in any folder."""
        found = cls(tree)
        for model, files in models_of(tree, synset(category)).items():
            found.files[model] = {name.rpartition("/")[2]: full for name, full in files.items()}
        for name in tree.names():
            flat = FLAT.fullmatch(name.rpartition("/")[2])
            if flat and f"{synset(category)}_" in name:
                found.files.setdefault(flat[1], {})[f"{flat[2]}.dat"] = name
        found.files = dict(sorted(found.files.items()))
        if not any(name.endswith((".dat", ".xyz")) for files in found.files.values() for name in files):
            raise InputError(
                f"{tree.place} holds no .dat or .xyz file of {category}; expected ShapeNetP2M, ShapeNetTrain or "
                "p2mpp_models: see docs/data.md"
            )
        return found

    def arrays(self, model: str, name: str) -> list[np.ndarray]:
        """The arrays of one `.dat`: a cloud (N, 6), beside or without a picture."""
        full = self.files[model][name]
        return read_pickle(self.tree.read([full])[full], f"{self.tree.place}: {full}")

    def cloud(self, model: str, views: r2n2.Views) -> Cloud:
        """A model's cloud with the camera undone. Its views hold the same one: a second is read to check the first."""
        files = self.files.get(model, {})
        clouds = []
        for name in sorted(name for name in files if re.fullmatch(r"\d\d\.dat", name))[:2]:
            place = f"{self.tree.place}: {files[name]}"
            # The picture of the old form, and whatever stands first in the ++ form, are no tables of six columns.
            tables = [array for array in self.arrays(model, name) if array.ndim == 2 and array.shape[1] == 6]
            if not tables:
                raise InputError(f"{place} holds no array (N, 6); expected points and normals")
            clouds.append(pixel2mesh.object_cloud(tables[-1], views, int(name[:2]), place))
        for name in sorted(name for name in files if re.fullmatch(r"\d\d\.xyz", name))[: 2 * (not clouds)]:
            place = f"{self.tree.place}: {files[name]}"
            table = read_xyz(self.tree.read([files[name]])[files[name]], place, 6)
            clouds.append(pixel2mesh.object_cloud(table, views, int(name[:2]), place))
        if not clouds and "model_normal.xyz" in files:
            full = files["model_normal.xyz"]
            table = read_xyz(self.tree.read([full])[full], f"{self.tree.place}: {full}", 6)
            clouds.append((table[:, :3], table[:, 3:]))
        if not clouds:
            raise InputError(f"{self.tree.place} has no cloud of {model}; expected NN.dat, NN.xyz or model_normal.xyz")
        boxes = [np.stack([points.min(axis=0), points.max(axis=0)]) for points, _ in clouds]
        if np.abs(boxes[0] - boxes[-1]).max() > 0.05:
            raise InputError(
                f"{self.tree.place}: the clouds of two views of {model} differ once their cameras are undone; the "
                "metadata belong to other renders"
            )
        return clouds[0]


def clouds(category: str, params: FetchParams, downloads: Downloads) -> Clouds:
    """The clouds that `fetch.r2n2.clouds` names."""
    if params.r2n2.clouds == "pixel2mesh":
        dats = DatFiles.of(downloads.tree(params.pixel2mesh.data, synset(category)), category)
        return Clouds(dats.tree.place, set(dats.files), dats.cloud)
    if params.r2n2.clouds == "shapenetcore":
        from genren.fetch.sources import shapenetcore

        return shapenetcore.clouds(category, params, downloads)
    tree = downloads.tree(params.nmr.archive, synset(category))
    names = {
        model: files["pointcloud.npz"]
        for model, files in models_of(tree, synset(category)).items()
        if "pointcloud.npz" in files
    }
    return Clouds(tree.place, set(names), lambda model, _: _diagonal_one(tree, names[model]))


def _diagonal_one(tree: Tree, name: str) -> Cloud:
    """A cloud of NMR's, which has a scale of its own, in the frame of 3D-R2N2's renders: box centred, diagonal 1."""
    points, normals = parse_cloud(tree.read([name])[name], f"{tree.place}: {name}")
    lower, upper = points.min(axis=0).astype(np.float64), points.max(axis=0).astype(np.float64)
    return (points - (lower + upper) / 2) / np.linalg.norm(upper - lower), normals


def r2n2_split(models: list[str]) -> dict[str, str]:
    """3D-R2N2's: of a class's models by name, the first 80 % are for training."""
    ordered = sorted(models)
    return {model: "train" if index < int(0.8 * len(ordered)) else "test" for index, model in enumerate(ordered)}


def pixel2mesh_split(
    category: str, params: FetchParams, downloads: Downloads, models: list[str]
) -> tuple[dict[str, dict[str, str]], list[str]]:
    """Pixel2Mesh's split, as one of an offer's, and a sentence about models that were mended; nothing without lists."""
    settings = params.pixel2mesh
    train, test = (
        downloads.file(location).read_text(errors="replace") if location else ""
        for location in (settings.train_list, settings.test_list)
    )
    if not train and not test:
        return {}, []
    splits, leaking = pixel2mesh.read_lists(train, test, synset(category), models)
    sentence = f"{len(leaking)} models had views in both of Pixel2Mesh's lists and train all of them: "
    return {"pixel2mesh": splits}, [sentence + ", ".join(leaking)] if leaking else []
