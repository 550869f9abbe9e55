"""The close look: few views a model, dense surfaces, and the frames and protocols that cost more."""

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from genren.evaluate.measure import protocol_scores
from genren.evaluate.scores import Scores, System
from genren.evaluate.split import Split
from genren.geometry.nearest import CPU_THREADS
from genren.metrics.emd import emd_exact
from genren.metrics.icp import align
from genren.metrics.surface import STILL, Motion, Surface, compare
from genren.metrics.volume import is_watertight, volume_iou


class CloseLook:
    """The views of a split that are looked at closely, and the dense truth behind them."""

    def __init__(self, split: Split) -> None:
        self.split, self.params = split, split.params
        order = np.argsort(split.owner.numpy(), kind="stable")
        position = np.arange(len(order)) - np.searchsorted(split.owner.numpy()[order], split.owner.numpy()[order])
        self.views = torch.from_numpy(np.sort(order[position < self.params.close_views]))
        self.owner = split.owner[self.views]
        self.truth = [split.close(row) for row in range(len(split.models))]
        self.names = [split.models[row] for row in self.owner]

    def image_to_shape(
        self,
        system: System,
        predicted: list[Surface],
        rotation: Tensor | None = None,
        meshes: tuple[Tensor, Tensor] | None = None,
    ) -> None:
        """Add to a system what its predictions of the looked-at views are worth.

        `predicted` are dense surfaces, `rotation` (C, 3, 3) the predicted poses, `meshes` vertices (C, V, 3) and faces
        (F, 3); frames and metrics that need what is not given are left out.
        """
        target = [self.truth[row] for row in self.owner]
        way, seed = "image_to_shape", self.params.seed
        side = self.split.longest_side[self.owner]
        near = compare(predicted, target)
        system.add(protocol_scores("genren", near, side, self.names, f"{way}/n{len(target[0].points)}"), seed)

        # Distances do not change when both sides turn: the prediction turns from its camera into the truth's frame.
        if rotation is not None:
            turns = (self.split.rotation[self.views].mT @ rotation).double().numpy()
            motions = [Motion(turn, STILL.translation) for turn in turns]
            distances = compare(predicted, target, motions)
            for protocol in ("posed", "pixel2mesh"):
                system.add(protocol_scores(protocol, distances, side, self.names, f"{way}/{protocol}"), seed)
        if rotation is not None and meshes is not None:
            corners = [Surface(v, np.zeros_like(v), len(v)) for v in meshes[0].double().numpy()]
            distances = compare(corners, target, motions)
            name = "pixel2mesh_vertices"
            system.add(protocol_scores(name, distances, side, self.names, f"{way}/{name}"), seed)

        with ThreadPoolExecutor(CPU_THREADS) as pool:
            aligned = compare(predicted, target, list(pool.map(_alignment, predicted, target)))
        for protocol in ("aligned", "unicorn"):
            system.add(protocol_scores(protocol, aligned, side, self.names, f"{way}/{protocol}"), seed)

        count = min(self.params.emd_points, *(len(surface.points) for surface in (*predicted, *target)))
        pairs = zip(predicted, target, strict=True)
        emd = torch.tensor([emd_exact(p.points[:count], t.points[:count]) for p, t in pairs])
        system.add(Scores({f"emd_exact_n{count}/{way}": emd}, self.names), seed)
        if meshes is not None:
            self._volume(system, *meshes)

    def floor(self) -> System:
        """The truth's own second sample in the place of a prediction."""
        system = System()
        target = [self.truth[row] for row in self.owner]
        again = [self.split.close(row, sample=1) for row in self.owner]
        name, ones = f"resampled/n{len(target[0].points)}", torch.ones(len(target))
        near = compare(again, target)
        system.add(protocol_scores("genren", near, ones, self.names, name), self.params.seed)
        for protocol in ("pixel2mesh", "unicorn"):
            side = self.split.longest_side[self.owner]
            scores = protocol_scores(protocol, near, side, self.names, f"resampled/{protocol}")
            system.add(scores, self.params.seed)
        count = min(self.params.emd_points, len(target[0].points), len(again[0].points))
        pairs = zip(again, target, strict=True)
        emd = torch.tensor([emd_exact(a.points[:count], t.points[:count]) for a, t in pairs])
        system.add(Scores({f"emd_exact_n{count}/resampled": emd}, self.names), self.params.seed)
        return system

    @cached_property
    def watertight(self) -> list[int]:
        """Rows of the models whose true mesh encloses a volume."""
        meshes = ((row, self.split.mesh(row)) for row in range(len(self.split.models)))
        return [row for row, mesh in meshes if mesh is not None and is_watertight(mesh.vertices, mesh.faces)]

    def _volume(self, system: System, vertices: Tensor, faces: Tensor) -> None:
        """Volumetric IoU with the watertight true meshes; a prediction that is not finite counts as failed."""
        closed = set(self.watertight)
        chosen = [i for i, row in enumerate(self.owner.tolist()) if row in closed]
        values = []
        for i in chosen:
            mesh = self.split.mesh(int(self.owner[i]))
            assert mesh is not None
            mine = vertices[i].double().numpy()
            sound = np.isfinite(mine).all()
            values.append(volume_iou(mine, faces.numpy(), mesh.vertices, mesh.faces) if sound else float("nan"))
        if values:
            names = [self.names[i] for i in chosen]
            system.add(Scores({"volume_iou/image_to_shape": torch.tensor(values)}, names), self.params.seed)


def _alignment(predicted: Surface, target: Surface) -> Motion:
    return align(predicted.points, target.points) if np.isfinite(predicted.points).all() else STILL
