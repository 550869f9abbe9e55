"""Reading textures: Kaolin's `texture_mapping`."""

import torch
from torch import Tensor
from torch.nn import functional as F

MODES = ("nearest", "bilinear", "bicubic")


def texture_mapping(texture_coordinates: Tensor, texture_maps: Tensor, mode: str = "nearest") -> Tensor:
    """Read texture maps at coordinates, dense as an image or sparse as a list of points.

    Args:
        texture_coordinates: (B, h, w, 2) or (B, N, 2), u to the right and v up, (0, 0) the lower left corner of the map
            and (1, 1) the upper right one; clamped to [0, 1].
        texture_maps: (B, C, h', w'), the first row on top.
        mode: 'nearest', 'bilinear' or 'bicubic', with texel centres half a texel inside (align_corners False).

    Returns:
        (B, h, w, C) or (B, N, C). Gradients reach both arguments. Inside `torch.use_deterministic_algorithms(True)`
        they are equal run after run on CUDA too, for 'nearest' and 'bilinear'.

    Raises:
        ValueError: a wrong shape, dtype or device, or an unknown mode.

    """
    _check(texture_coordinates, texture_maps, mode)
    batch, spatial = len(texture_coordinates), texture_coordinates.shape[1:-1]
    uv = texture_coordinates.reshape(batch, -1, 2).clamp(0, 1)
    # `grid_sample` has no deterministic gradient on CUDA.
    if texture_maps.is_cuda and torch.are_deterministic_algorithms_enabled() and mode != "bicubic":
        values = gather(uv, texture_maps, mode)
    else:
        grid = torch.stack([2 * uv[..., 0] - 1, 1 - 2 * uv[..., 1]], dim=-1)[:, :, None]
        sampled = F.grid_sample(texture_maps, grid, mode=mode, padding_mode="border", align_corners=False)
        values = sampled[..., 0].transpose(1, 2)
    return values.reshape(batch, *spatial, texture_maps.shape[1])


def gather(uv: Tensor, maps: Tensor, mode: str) -> Tensor:
    """As `grid_sample`, by picking texels: the gradient of `index_select` adds up in a fixed order.

    uv (B, N, 2) in [0, 1], maps (B, C, h, w), mode 'nearest' or 'bilinear'; returns (B, N, C).
    """
    batch, channels, height, width = maps.shape
    texels = maps.permute(0, 2, 3, 1).reshape(-1, channels)
    # In texels from the centre of the first one; the border reaches half a texel out.
    x = (uv[..., 0] * width - 0.5).clamp(0, width - 1)
    y = ((1 - uv[..., 1]) * height - 0.5).clamp(0, height - 1)
    first = torch.arange(batch, device=maps.device)[:, None] * height * width

    def pick(row: Tensor, column: Tensor) -> Tensor:
        place = first + row.long().clamp_max(height - 1) * width + column.long().clamp_max(width - 1)
        return texels.index_select(0, place.flatten()).view(*uv.shape[:2], channels)

    if mode == "nearest":
        return pick(y.round(), x.round())
    left, top = x.floor().detach(), y.floor().detach()
    right, down = (x - left)[..., None], (y - top)[..., None]
    upper = (1 - right) * pick(top, left) + right * pick(top, left + 1)
    lower = (1 - right) * pick(top + 1, left) + right * pick(top + 1, left + 1)
    return (1 - down) * upper + down * lower


def _check(coordinates: Tensor, maps: Tensor, mode: str) -> None:
    if mode not in MODES:
        raise ValueError(f"mode must be one of {', '.join(MODES)}, got {mode!r}")
    if maps.ndim != 4 or 0 in maps.shape[1:]:
        raise ValueError(f"texture_maps must be (B, C, h, w), none of the last three 0, got {tuple(maps.shape)}")
    if coordinates.ndim not in (3, 4) or coordinates.shape[-1] != 2 or len(coordinates) != len(maps):
        raise ValueError(
            f"texture_coordinates must be ({len(maps)}, h, w, 2) or ({len(maps)}, N, 2), got {tuple(coordinates.shape)}"
        )
    if maps.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"texture_maps must be float32 or float64, got {maps.dtype}")
    if coordinates.dtype != maps.dtype:
        raise ValueError(f"texture_coordinates must be {maps.dtype} as the maps, got {coordinates.dtype}")
    if coordinates.device != maps.device:
        raise ValueError(f"texture_coordinates must be on {maps.device} as the maps, got {coordinates.device}")
