"""One split of a store as tensors, and the surfaces of its models at two densities."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from genren.categories import synset
from genren.data.batches import to_tensor
from genren.data.store import Store
from genren.errors import InputError
from genren.geometry.camera import r2n2_camera
from genren.geometry.meshfile import load_mesh
from genren.geometry.sampling import sample_surface
from genren.metrics.surface import Surface
from genren.params import EvaluateParams


@dataclass(frozen=True)
class Mesh:
    """A true mesh in the canonical frame."""

    vertices: np.ndarray  # (V, 3)
    faces: np.ndarray  # (F, 3)


@dataclass(frozen=True)
class Split:
    """One split. Surfaces come twice, as independent samples: what they differ by is the floor of every measurement."""

    category: str
    images: Tensor  # (N, 4, S, S)
    owner: Tensor  # (N,) row of each image's model
    names: list[str]  # model of each image
    rotation: Tensor  # (N, 3, 3) true pose of each image
    models: list[str]
    longest_side: Tensor  # (M,) in ShapeNet's unit, where the box diagonal is 1
    points: np.ndarray  # (M, P, 3) canonical clouds
    normals: np.ndarray  # (M, P, 3)
    files: list[Path | None]  # mesh of each model, where there is one
    centers: np.ndarray  # (M, 3), canonical = (file's - center) / longest side, the file's box diagonal being 1
    params: EvaluateParams

    @cached_property
    def surfaces(self) -> list[Surface]:
        """Every model at the density of all views."""
        return self._clouds(0)

    @cached_property
    def resampled(self) -> list[Surface]:
        """Other samples of the same surfaces."""
        return self._clouds(self.params.surface_points)

    @cached_property
    def _meshes(self) -> dict[int, Mesh]:
        """Those that were read so far."""
        return {}

    def mesh(self, row: int) -> Mesh | None:
        """The true mesh of a model, if it has one; read once."""
        file = self.files[row]
        if file is not None and row not in self._meshes:
            # As the cloud of the same file was brought into the canonical frame.
            mesh = load_mesh(file).normalized(diagonal=True)
            vertices = (mesh.vertices - self.centers[row]) / float(self.longest_side[row])
            self._meshes[row] = Mesh(vertices, mesh.faces)
        return self._meshes.get(row)

    def close(self, row: int, sample: int = 0) -> Surface:
        """One model at the density of the close look: from its mesh, or half of its cloud if any model has none."""
        mesh, p = self.mesh(row), self.params
        # All or none: counts that differ from model to model would be averaged into one number.
        if mesh is None or None in self.files:
            half = min(p.close_points, self.points.shape[1] // 2)
            rows = slice(sample * half, (sample + 1) * half)
            return Surface(self.points[row, rows], self.normals[row, rows], min(p.close_queries, half))
        rng = np.random.default_rng([p.seed, sample, *self.models[row].encode()])
        points, normals, _ = sample_surface(mesh.vertices, mesh.faces, p.close_points, rng)
        return Surface(points, normals, p.close_queries)

    def _clouds(self, start: int) -> list[Surface]:
        rows = slice(start, start + self.params.surface_points)
        clouds = zip(self.points[:, rows], self.normals[:, rows], strict=True)
        return [Surface(points, normals, self.params.queries) for points, normals in clouds]


def load(store: Store, name: str, params: EvaluateParams, raw: Path | None) -> Split:
    """The split `name`; true meshes are those that `fetch` left in the folder `raw`, if it is given."""
    if 2 * params.surface_points > store.points.shape[1]:
        raise InputError(
            f"evaluate.surface_points is {params.surface_points}, the store has {store.points.shape[1]} per cloud,"
            " expected twice as many for the floor; lower it or raise preprocess.points"
        )
    views, clouds = store.views.iloc[store.images_of(name)], store.clouds_of(name)
    table = store.models.iloc[clouds]
    models, names = table["model"].tolist(), views["model"].tolist()
    row = {model: i for i, model in enumerate(models)}
    angles = [torch.tensor(views[column].to_numpy()) for column in ("azimuth", "elevation", "distance_ratio")]
    category = store.info["category"]
    folder = None if raw is None else raw / "meshes" / synset(category)
    files = [None if folder is None else folder / model / "model.glb" for model in models]
    return Split(
        category=category,
        images=to_tensor(torch.from_numpy(np.ascontiguousarray(store.images[store.images_of(name)]))),
        owner=torch.tensor([row[model] for model in names]),
        names=names,
        rotation=r2n2_camera(*angles).rotation.float(),
        models=models,
        longest_side=torch.tensor(1 / table["scale"].to_numpy()),
        points=np.ascontiguousarray(store.points[clouds]),
        normals=np.ascontiguousarray(store.normals[clouds]),
        files=[file if file is not None and file.is_file() else None for file in files],
        centers=table[["center_x", "center_y", "center_z"]].to_numpy(),
        params=params,
    )
