"""Cameras of stored images: world-to-camera matrices and focal lengths, from metadata or from the data sets' matrices.

They are ground truth for evaluation; training never sees them. Axes are OpenGL's and images NDC, as in
genren.geometry.camera. That one needs torch, and is imported where it is used: the workers of `preprocess`, which only
read, do without.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from genren.data import r2n2
from genren.data.arrays import read_npz
from genren.errors import InputError
from genren.files import replacing

if TYPE_CHECKING:
    from genren.geometry.camera import Camera

CAMERAS = "cameras.npz"

# NMR (Kato et al., 2018), where its file has no camera matrix: a field of view of 30 degrees.
NMR_FOCAL = 1 / np.tan(np.radians(15))


@dataclass(frozen=True)
class Cameras:
    """Where N images were taken from; not-a-number where nobody knows."""

    matrices: np.ndarray  # (N, 3, 4) float64, world to camera [R | t], x right, y up, looking along -z
    focal: np.ndarray  # (N,) float64, NDC units per unit of x/z

    def __len__(self) -> int:
        return len(self.focal)

    def canonical(self, center: np.ndarray, scale: float) -> "Cameras":
        """The same views of a world that went through (raw - center) * scale. Depths scale along, pictures stay."""
        rotations, shifts = self.matrices[..., :3], self.matrices[..., 3:]
        return Cameras(np.concatenate([rotations, scale * (shifts + rotations @ center[:, None])], axis=2), self.focal)

    def views(self) -> r2n2.Views:
        """The same places in the words of 3D-R2N2: angles in degrees, distance over 1.75."""
        from genren.geometry.camera import R2N2_MAX_DISTANCE

        rotations, shifts = self.matrices[..., :3], self.matrices[..., 3]
        x, y, z = -np.einsum("nij,ni->jn", rotations, shifts)
        distance = np.sqrt(x**2 + y**2 + z**2)
        azimuth, elevation = np.degrees(np.arctan2(z, x)) % 360, np.degrees(np.arcsin(y / distance))
        return r2n2.Views(azimuth, elevation, distance / R2N2_MAX_DISTANCE)


def unknown(count: int) -> Cameras:
    """Cameras of images about which nothing is known."""
    return Cameras(np.full((count, 3, 4), np.nan), np.full(count, np.nan))


def from_views(views: r2n2.Views) -> Cameras:
    """Cameras of 3D-R2N2's metadata."""
    import torch

    from genren.geometry.camera import r2n2_camera

    numbers = (torch.from_numpy(array) for array in (views.azimuth, views.elevation, views.distance_ratio))
    camera = r2n2_camera(*numbers)
    shift = -(camera.rotation @ camera.position[..., None])
    matrices = torch.cat([camera.rotation, shift], dim=2).numpy()
    return Cameras(matrices, np.full(len(views), camera.focal))


def from_nmr(arrays: dict[str, np.ndarray], count: int, place: str) -> Cameras:
    """Cameras of a `cameras.npz` as Niemeyer et al. write them.

    `world_mat_i` takes a point of the world to the camera (x right, y down, looking along +z), `camera_mat_i` to NDC
    with y down; -1, -1 is the top left corner.
    """
    matrices, focal = np.empty((count, 3, 4)), np.empty(count)
    for index in range(count):
        world = arrays.get(f"world_mat_{index}")
        if world is None and f"world_mat_inv_{index}" in arrays:
            world = np.linalg.inv(arrays[f"world_mat_inv_{index}"])
        if world is None or world.shape not in ((3, 4), (4, 4)) or not np.isfinite(world).all():
            found = "nothing" if world is None else f"an array {world.shape}"
            raise InputError(f"{place} has {found} as world_mat_{index}; expected a finite (3, 4) or (4, 4)")
        rotation = world[:3, :3].astype(np.float64)
        # A scale common to the three axes is no part of a camera.
        size = np.cbrt(np.linalg.det(rotation))
        if not size > 0 or np.abs(rotation @ rotation.T / size**2 - np.eye(3)).max() > 1e-3:
            raise InputError(f"{place}: world_mat_{index} is no rotation and shift; expected a camera")
        matrices[index] = np.diag([1.0, -1.0, -1.0]) @ world[:3] / size
        camera = arrays.get(f"camera_mat_{index}")
        focal[index] = NMR_FOCAL if camera is None else abs(camera[0, 0])
    return Cameras(matrices, focal)


def write_cameras(folder: Path, cameras: Cameras) -> None:
    """Write `cameras.npz` into a model's rendering folder."""
    with replacing(folder / CAMERAS) as temporary:
        np.savez(temporary, matrices=cameras.matrices, focal=cameras.focal)


def read_cameras(folder: Path) -> Cameras | None:
    """The cameras that were written into a model's rendering folder, None where 3D-R2N2's metadata have to do."""
    path = folder / CAMERAS
    if not path.is_file():
        return None
    arrays = read_npz(path.read_bytes(), str(path))
    if arrays.keys() != {"matrices", "focal"}:
        raise InputError(f"{path} holds {', '.join(arrays) or 'nothing'}; expected matrices and focal; fetch again")
    cameras = Cameras(**arrays)
    if cameras.matrices.shape != (*cameras.focal.shape, 3, 4) or cameras.focal.ndim != 1 or not len(cameras):
        raise InputError(f"{path} has matrices {cameras.matrices.shape}; expected (N, 3, 4); fetch again")
    return cameras


def to_camera(matrices: np.ndarray, focal: np.ndarray) -> "Camera":
    """Stored cameras (N, 3, 4) as a batch for rendering; all must be known and of one focal length."""
    import torch

    from genren.geometry.camera import Camera

    if not np.isfinite(matrices).all() or np.ptp(focal) > 1e-6 * focal.max():
        raise ValueError("cameras must be known and of one focal length")
    numbers = torch.from_numpy(np.asarray(matrices, dtype=np.float32))
    rotation, shift = numbers[..., :3], numbers[..., 3]
    return Camera(rotation, -(rotation.transpose(1, 2) @ shift[..., None])[..., 0], float(focal[0]))
