"""Clouds as plain text."""

import io

import numpy as np

from genren.data.arrays import check_size
from genren.errors import InputError


def read_xyz(data: bytes, place: str, columns: int) -> np.ndarray:
    """A text table of numbers (N, columns), separated by spaces."""
    check_size(place, "the file", len(data))
    if not data.strip():
        raise InputError(f"{place} is empty; expected a table of {columns} columns")
    try:
        table = np.loadtxt(io.StringIO(data.decode("ascii")), dtype=np.float64, ndmin=2)
    except ValueError as error:  # of which UnicodeDecodeError is one
        raise InputError(f"{place} is no table of numbers ({str(error)[:80]}); expected {columns} columns") from None
    if table.shape[1] != columns:
        raise InputError(f"{place} has the shape {table.shape}; expected (N, {columns})")
    return table
