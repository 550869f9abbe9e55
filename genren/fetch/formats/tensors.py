"""The original's `.pt` files: one tensor each, loaded without pickled code."""

import io
import zipfile

import numpy as np
import torch

from genren.data.arrays import MEMBER_LIMIT, check_size
from genren.errors import InputError


def read_tensor(data: bytes, place: str) -> np.ndarray:
    """Points or normals (N, 3) as float32."""
    check_size(place, "the file", len(data))
    if zipfile.is_zipfile(io.BytesIO(data)):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if sum(member.file_size for member in archive.infolist()) > MEMBER_LIMIT:
                raise InputError(f"{place} unpacks to over {MEMBER_LIMIT} bytes; expected a tensor (N, 3)")
    try:
        tensor = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged or hostile file may fail in any way
        reason = "it would run code" if "weights_only" in str(error) else type(error).__name__
        raise InputError(f"{place} cannot be loaded ({reason}); expected one saved tensor (N, 3)") from None
    if not isinstance(tensor, torch.Tensor) or tensor.ndim != 2 or tensor.shape[1] != 3 or tensor.is_complex():
        found = tuple(tensor.shape) if isinstance(tensor, torch.Tensor) else type(tensor).__name__
        raise InputError(f"{place} holds {found}; expected one saved tensor (N, 3)")
    # A view of one number can claim any length.
    if tensor.layout != torch.strided or tensor.numel() * 4 > MEMBER_LIMIT:
        raise InputError(f"{place} claims {tensor.numel()} numbers; expected a plain tensor (N, 3)")
    return tensor.detach().to(torch.float32).contiguous().numpy()
