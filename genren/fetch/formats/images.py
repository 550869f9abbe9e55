"""Pictures of the data sets as straight RGBA."""

import numpy as np
from scipy import ndimage

from genren.errors import InputError

WHITE = 250  # from where on all three channels count as background


def with_mask(rgb: np.ndarray, mask: np.ndarray, place: str) -> np.ndarray:
    """RGBA from a picture (S, S, 3 or more) and its mask (S, S) or (S, S, C), 0 outside."""
    mask = mask[..., 0] if mask.ndim == 3 else mask
    if mask.shape != rgb.shape[:2]:
        raise InputError(f"{place} has {rgb.shape[:2]} pixels, its mask {mask.shape}; expected the same")
    alpha = mask.astype(np.uint8) * 255 if mask.dtype == bool else mask
    return np.dstack([rgb[..., :3] * (alpha > 0)[..., None], alpha]).astype(np.uint8)


def cut_from_white(rgb: np.ndarray) -> np.ndarray:
    """RGBA of a render on white (S, S, 3): what is white and hangs together with the border is background.

    A guess, for data that lost their alpha: white parts of an object at its outline go with the background.
    """
    labels, _ = ndimage.label((rgb >= WHITE).all(axis=2))
    border = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    background = np.isin(labels, border[border > 0])
    return with_mask(rgb, ~background, "the picture")
