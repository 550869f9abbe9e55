"""Protocols: named bundles of a frame, a unit, points and metrics, as a paper's table has them.

A metric's name alone does not say what a number may be compared with: the same distance is 0.57 times as long in
Pixel2Mesh's tables and ten times as long in UNICORN's. A key is `<metric>/<direction>` in the protocol `genren`, and
`<metric>/<direction>/<frame or protocol>` otherwise.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from torch import Tensor

from genren.metrics.chamfer import SurfaceDistances, chamfer_l1, chamfer_l2, normal_consistency
from genren.metrics.fscore import THRESHOLDS, fscore

# canonical: box centred, longest side 1; posed: turned by the predicted pose, against the truth in its true pose, both
# in the camera's axes; aligned: by rigid ICP that may choose the rotation about the up axis.
Frame = Literal["canonical", "posed", "aligned"]

# What Pixel2Mesh multiplies ShapeNet's coordinates (box diagonal 1) with before it measures.
PIXEL2MESH_SCALE = 0.57


def _shares(kind: str, name: str) -> Callable[[SurfaceDistances], Tensor]:
    return lambda distances: getattr(fscore(distances, THRESHOLDS[name]), kind)


# Metric name -> what it makes of distances between surfaces, (B,).
SURFACE_METRICS: dict[str, Callable[[SurfaceDistances], Tensor]] = {
    "chamfer_l1": chamfer_l1,
    "chamfer_l1_x10": lambda distances: 10 * chamfer_l1(distances),
    "chamfer_l2": chamfer_l2,
    "chamfer_l2_x1000": lambda distances: 1000 * chamfer_l2(distances),
    **{f"{kind}_{name}": _shares(kind, name) for name in THRESHOLDS for kind in ("fscore", "precision", "recall")},
    "normal_consistency": normal_consistency,
}


@dataclass(frozen=True)
class Protocol:
    """How one table of the literature measures."""

    name: str
    frame: Frame
    unit: Literal["longest side", "pixel2mesh"]  # 1 on the truth's longest box side, or 0.57 times ShapeNet's unit
    points: Literal["surface", "vertices"]  # what stands for the prediction
    metrics: tuple[str, ...]

    def scores(self, distances: SurfaceDistances, longest_side: Tensor) -> dict[str, Tensor]:
        """Metrics (B,) of canonical distances; `longest_side` (B,) is the truth's in ShapeNet's unit (diagonal 1)."""
        if self.unit == "pixel2mesh":
            distances = distances.scaled(PIXEL2MESH_SCALE * longest_side)
        return {name: SURFACE_METRICS[name](distances) for name in self.metrics}


PIXEL2MESH_METRICS = ("chamfer_l2_x1000", "fscore_1e-4", "fscore_2e-4")

PROTOCOLS = {
    protocol.name: protocol
    for protocol in (
        Protocol("genren", "canonical", "longest side", "surface", tuple(SURFACE_METRICS)),
        Protocol("posed", "posed", "longest side", "surface", ("chamfer_l1", "fscore_1e-4", "normal_consistency")),
        Protocol("aligned", "aligned", "longest side", "surface", ("chamfer_l1", "fscore_1e-4", "normal_consistency")),
        Protocol("pixel2mesh", "posed", "pixel2mesh", "surface", PIXEL2MESH_METRICS),
        # Their own code scores the predicted vertices; Mesh R-CNN, who report this protocol too, surface samples.
        Protocol("pixel2mesh_vertices", "posed", "pixel2mesh", "vertices", PIXEL2MESH_METRICS),
        Protocol("unicorn", "aligned", "longest side", "surface", ("chamfer_l1_x10", "normal_consistency")),
    )
}
