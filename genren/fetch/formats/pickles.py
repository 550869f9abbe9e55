"""Pixel2Mesh's `.dat`: Python 2 pickles of arrays of numbers, read without letting a pickle do what it likes.

A pickle is a program. This reader lends it no function of NumPy's: what it calls by the names of array, dtype and their
constructors are the small classes below, which only take down what they are given. The array is made from that
afterwards, by hand and checked. Every other name is refused, so that nothing else can be called.
"""

import io
import pickle
import re
from typing import Any

import numpy as np

from genren.errors import InputError

EXPECTED = "a pickle of arrays of numbers"


class _Refused(Exception):
    pass


class _Dtype:
    """Takes down a dtype: letter and bytes, and the byte order that is set afterwards."""

    def __init__(self, code: Any, *_: Any) -> None:
        code = code.decode("latin1") if isinstance(code, bytes) else code
        if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[fiub][1248]", code):
            raise _Refused(f"the dtype {str(code)[:20]!r}")
        self.code, self.order = code.lstrip("<>|="), code[0] if code[0] in "<>" else "="

    def __setstate__(self, state: Any) -> None:
        # (version, byte order, subarray, names, fields, ...): numbers have nothing from the third on.
        if not isinstance(state, tuple) or len(state) < 5 or any(part is not None for part in state[2:5]):
            raise _Refused("a structured dtype")
        order = state[1].decode("latin1") if isinstance(state[1], bytes) else state[1]
        if order not in ("<", ">", "|", "="):
            raise _Refused("an unknown byte order")
        self.order = "=" if order == "|" else order

    def numpy(self) -> np.dtype:
        return np.dtype(self.order + self.code)


class _Array:
    """Takes down an array: its shape, dtype, order and bytes."""

    value: np.ndarray | None = None

    def __setstate__(self, state: Any) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise _Refused("an array without a state")
        _, shape, dtype, fortran, data = state
        self.value = _made(data, dtype, shape, "F" if fortran else "C")


class _NdArray:
    """Stands where a pickle names `numpy.ndarray`, which it may name but not call."""

    def __init__(self) -> None:
        raise _Refused("a call of ndarray")


def _reconstruct(kind: Any = None, *_: Any) -> _Array:
    if kind is not _NdArray:
        raise _Refused("an array of an unknown class")
    return _Array()


def _from_buffer(data: Any, dtype: Any, shape: Any, order: Any) -> _Array:
    array = _Array()
    array.value = _made(data, dtype, shape, "F" if order == "F" else "C")
    return array


def _encode(text: Any, encoding: Any) -> bytes:
    # How Python 3 writes bytes into a pickle of protocol 2.
    if not isinstance(text, str) or encoding != "latin1":
        raise _Refused("an encoding")
    return text.encode("latin1")


def _made(data: Any, dtype: Any, shape: Any, order: Any) -> np.ndarray:
    data = data.encode("latin1") if isinstance(data, str) else data
    sound = isinstance(shape, tuple) and all(type(length) is int and 0 <= length < 1 << 31 for length in shape)
    if not sound or not isinstance(dtype, _Dtype) or not isinstance(data, bytes | bytearray):
        raise _Refused("an array of something else than numbers")
    flat = np.frombuffer(data, dtype.numpy())
    if flat.size != np.prod([int(length) for length in shape], dtype=object):
        raise _Refused("an array whose bytes do not fill its shape")
    return flat.reshape(shape, order=order)


_ALLOWED: dict[str, Any] = {
    "numpy.ndarray": _NdArray,
    "numpy.dtype": _Dtype,
    "_codecs.encode": _encode,
    **{f"numpy.{core}.multiarray._reconstruct": _reconstruct for core in ("core", "_core")},
    **{f"numpy.{core}.numeric._frombuffer": _from_buffer for core in ("core", "_core")},
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if f"{module}.{name}" not in _ALLOWED:
            raise _Refused(f"the name {module}.{name}"[:100])
        return _ALLOWED[f"{module}.{name}"]


def read_pickle(data: bytes, place: str) -> list[np.ndarray]:
    """The arrays in a pickle: of one array, or of a tuple or list of arrays. Anything else is an InputError."""
    try:
        value = _Unpickler(io.BytesIO(data), encoding="latin1").load()
    except _Refused as refusal:
        raise InputError(f"{place} holds {refusal}; expected {EXPECTED}, and nothing of it was run") from None
    except Exception as error:  # a damaged pickle may fail in any way
        raise InputError(f"{place} is no whole pickle ({type(error).__name__}); expected {EXPECTED}") from None
    items = value if isinstance(value, tuple | list) else [value]
    arrays = [item.value for item in items if isinstance(item, _Array) and item.value is not None]
    if not arrays or len(arrays) != len(items):
        raise InputError(f"{place} holds {type(value).__name__}; expected {EXPECTED}")
    return arrays
