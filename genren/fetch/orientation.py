"""Which side of a face is outside, whatever the winding in the file says: ShapeNet v1 is wound inside out.

Meshes of the wild are rarely closed, so there is no volume to ask. What can be seen from around is outside: each face
is turned to the side from which it is seen more.
"""

import numpy as np
import torch

from genren.geometry.camera import r2n2_camera
from genren.render import rasterize

AZIMUTHS, ELEVATIONS = range(0, 360, 45), (-60, -20, 20, 60)  # degrees
RESOLUTION = 128  # pixels
CLEARLY = 2  # times as often seen from one side as from the other


def outward(vertices: np.ndarray, faces: np.ndarray) -> np.ndarray:
    """Faces (F, 3), counter-clockwise seen from outside, of a mesh whose box is centred and has the diagonal 1.

    A face that is hidden, or a thin sheet that is seen from both sides alike, goes with the majority of what is seen.
    """
    elevation, azimuth = np.meshgrid(ELEVATIONS, AZIMUTHS)
    ratio = np.full(azimuth.shape, 0.8)
    numbers = (torch.from_numpy(array.ravel()).float() for array in (azimuth, elevation, ratio))
    camera = r2n2_camera(*numbers)
    points = camera.to_camera(torch.from_numpy(vertices).float()[None])
    index = torch.from_numpy(np.ascontiguousarray(faces))
    nearness = (-1 / points[..., 2])[:, index]
    _, seen = rasterize(RESOLUTION, RESOLUTION, nearness, camera.project(points)[:, index], nearness[..., None])

    corners = vertices[faces]
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    in_front = camera.position.numpy() @ normals.T > (normals * corners[:, 0]).sum(axis=1)  # (views, F)
    view, face = (axis.numpy() for axis in (seen.flatten(1) >= 0).nonzero(as_tuple=True))
    face = seen.flatten(1).numpy()[view, face]
    front = in_front[view, face]
    fronts = np.bincount(face[front], minlength=len(faces))
    backs = np.bincount(face[~front], minlength=len(faces))

    turned = np.where(fronts > CLEARLY * backs, False, backs.sum() > fronts.sum())
    turned = np.where(backs > CLEARLY * fronts, True, turned)
    return np.ascontiguousarray(np.where(turned[:, None], faces[:, ::-1], faces))
