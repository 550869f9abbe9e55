"""Exact nearest neighbours between point sets, shared by the training losses and the metrics.

The search stays outside the graph: only indices come out of it, and `nearest_distances` takes differences at them,
which autograd understands.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from pykdtree.kdtree import KDTree
from scipy.spatial import cKDTree
from torch import Tensor

from genren.errors import InputError

# A kd-tree query holds no lock, so a second thread helps; more than two do not pay for small clouds.
CPU_THREADS = 2

# Points in a leaf of SciPy's tree: trees are built in half the time, and large clouds searched in two thirds of it.
LEAF_SIZE = 32


@torch.no_grad()
def nearest(x: Tensor, y: Tensor) -> Tensor:
    """Index into `y` of the Euclidean nearest neighbour of each point of `x`.

    `x` is (B, N, 3) and `y` (B, M, 3), giving int64 (B, N); or unbatched, (N, 3) and (M, 3), giving (N,). Equally
    near points: any of them. CPU: one kd-tree a cloud. CUDA: a kernel that tries all pairs, with distances from
    differences, as the matrix-product form of the distance rounds and then picks a wrong neighbour.

    Raises InputError for wrong shapes, an empty `y`, and coordinates that are not finite.
    """
    _check(x, y)
    if x.dim() == 2:
        return nearest(x[None], y[None])[0]
    return _trees(x, y)[1] if x.device.type == "cpu" else _kernel(x, y)


def nearest_distances(x: Tensor, y: Tensor) -> Tensor:
    """Euclidean distance (B, N) of each point of `x` (B, N, 3) to its nearest in `y` (B, M, 3); differentiable in both.

    Where a point lies on its neighbour the gradient is 0.
    """
    if x.device.type == "cpu" and not (torch.is_grad_enabled() and (x.requires_grad or y.requires_grad)):
        _check(x, y)
        # The tree knows the distance already; taking it again from the points costs as much as the search.
        return _trees(x.detach(), y.detach())[0].to(torch.promote_types(x.dtype, y.dtype))
    return (x - gather_points(y, nearest(x, y))).norm(dim=-1)


def gather_points(y: Tensor, index: Tensor) -> Tensor:
    """Points (B, N, 3) of `y` (B, M, 3) at `index` (B, N), as returned by `nearest`; differentiable in `y`."""
    return y.gather(1, index[..., None].expand(-1, -1, 3))


def kd_tree(points: np.ndarray) -> cKDTree:
    """SciPy's tree, for many searches in one cloud (M, 3); how it is cut changes its speed, never its answers."""
    return cKDTree(points, leafsize=LEAF_SIZE, balanced_tree=False, compact_nodes=False)


def _trees(x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Distances and indices on the CPU: a tree a cloud, of the library that is fastest where each is searched once."""
    queries, points = _doubles(x), _doubles(y)
    distances, found = np.zeros(queries.shape[:2]), np.zeros(queries.shape[:2], np.int64)

    def search(start: int) -> None:
        for item in range(start, len(queries), CPU_THREADS):
            distances[item], found[item] = KDTree(points[item]).query(queries[item])

    with ThreadPoolExecutor(CPU_THREADS) as pool:
        list(pool.map(search, range(CPU_THREADS)))
    return torch.from_numpy(distances), torch.from_numpy(found)


def _doubles(x: Tensor) -> np.ndarray:
    """The values in float64, by NumPy: PyTorch's threads would go on spinning on the core that the search needs."""
    # NumPy does not know bfloat16.
    return (x.float() if x.dtype == torch.bfloat16 else x).detach().numpy().astype(np.float64, order="C")


def _kernel(x: Tensor, y: Tensor) -> Tensor:
    """Search on any device by trying all pairs, a thread a query."""
    # Warp is loaded only where there is CUDA: the CPU has something better.
    from genren.geometry.nearest_kernel import all_pairs

    return all_pairs(x, y)


def _check(x: Tensor, y: Tensor) -> None:
    for name, points in (("x", x), ("y", y)):
        if points.dim() not in (2, 3) or points.shape[-1] != 3:
            raise InputError(f"{name} must be points (B, N, 3) or (N, 3), got {tuple(points.shape)}")
        # On CUDA the look would wait for the device.
        if not points.is_cuda and not np.isfinite(_doubles(points)).all():
            raise InputError(f"{name} holds coordinates that are not finite; nearest neighbours need finite points")
    if x.dim() != y.dim() or x.shape[:-2] != y.shape[:-2]:
        raise InputError(f"x and y must be batches of one size, got {tuple(x.shape)} and {tuple(y.shape)}")
    if y.shape[-2] == 0:
        raise InputError("y holds no points; a nearest neighbour needs at least one")
