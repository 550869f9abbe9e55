"""The slow twin of the operator: vectorised brute force over all faces and pixels, written from the definition."""

import torch
from torch import Tensor


def pixel_centers(height: int, width: int, dtype: torch.dtype) -> Tensor:
    """NDC of the pixel centres (H, W, 2): x right, y up."""
    x = (2 * torch.arange(width, dtype=dtype) + 1 - width) / width
    y = (height - 2 * torch.arange(height, dtype=dtype) - 1) / height
    return torch.stack(torch.meshgrid(y, x, indexing="ij")[::-1], dim=-1)


def cross(a: Tensor, b: Tensor) -> Tensor:
    """Z component of the cross product of plane vectors."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def in_box(p: Tensor, image: Tensor, margin: float) -> Tensor:
    """Whether pixels (1, 1, H, W, 2) lie in the half-open, enlarged boxes of faces (B, F, 3, 2): (B, F, H, W)."""
    lower, upper = image.amin(2)[:, :, None, None] - margin, image.amax(2)[:, :, None, None] + margin
    return ((p >= lower) & (p < upper)).all(-1)


def reference_rasterize(
    height: int,
    width: int,
    z: Tensor,
    image: Tensor,
    features: Tensor,
    valid: Tensor | None = None,
    multiplier: float = 1000.0,
    eps: float = 1e-8,
) -> tuple[Tensor, Tensor]:
    """Per pixel the face of largest interpolated z among those that contain it, the first of equals."""
    p = pixel_centers(height, width, z.dtype)[None, None]  # (1, 1, H, W, 2)
    a, b, c = (image[:, :, k, None, None] for k in range(3))
    w = torch.stack([cross(b - p, c - p), cross(c - p, a - p), cross(a - p, b - p)], dim=-1)
    norm = w.sum(-1, keepdim=True)
    # The operator adds `eps` to an area in multiplied coordinates.
    thin = eps / multiplier**2
    w = w / (norm + torch.where(norm < 0, -thin, thin))
    inside = (w >= 0).all(-1) & in_box(p, image, 0)
    if valid is not None:
        inside = inside & valid[:, :, None, None]
    depth = torch.where(inside, (w * z[:, :, None, None]).sum(-1), -torch.inf)
    nearest = depth.amax(dim=1)
    index = (depth == nearest[:, None]).byte().argmax(dim=1)
    index = torch.where(nearest > -torch.inf, index, -1)
    batch = torch.arange(len(z))[:, None, None]
    rows, columns = torch.arange(height)[:, None], torch.arange(width)
    weights = w[batch, index.clamp_min(0), rows, columns].detach()  # (B, H, W, 3)
    # The gradient is that of the weights of the point they make, which stays, with `eps` added to the area in NDC.
    a, b, c = image[batch, index.clamp_min(0)].unbind(-2)
    point = (weights[..., None] * torch.stack([a, b, c], dim=-2)).sum(-2).detach()
    area = cross(b - a, c - a)
    area = area + torch.where(area < 0, -eps, eps)
    u, v = cross(point - a, c - a) / area, cross(b - a, point - a) / area
    learned = torch.stack([-u - v, u, v], dim=-1)
    weights = weights + learned - learned.detach()
    drawn = (weights[..., None] * features[batch, index.clamp_min(0)]).sum(-2)
    return torch.where((index >= 0)[..., None], drawn, 0.0), index


def reference_soft_mask(image: Tensor, face_idx: Tensor, sigmainv: float, boxlen: float, knum: int) -> Tensor:
    """1 - prod(1 - exp(-d^2 sigmainv)) over the first knum faces whose enlarged box contains the pixel."""
    p = pixel_centers(*face_idx.shape[1:], image.dtype)[None, None]  # (1, 1, H, W, 2)
    distances = []
    for k in range(3):
        u, v = image[:, :, k, None, None], image[:, :, (k + 1) % 3, None, None]
        t = (((p - u) * (v - u)).sum(-1) / ((v - u) ** 2).sum(-1).clamp_min(1e-13)).clamp(0, 1)
        distances.append(((u + t[..., None] * (v - u) - p) ** 2).sum(-1))
    nearest = torch.stack(distances).amin(0)
    near = in_box(p, image, boxlen)
    counted = near & (near.cumsum(1) <= knum)
    outside = torch.where(counted, 1 - torch.exp(-sigmainv * nearest), 1.0).prod(1)
    return torch.where(face_idx >= 0, 1.0, 1 - outside)
