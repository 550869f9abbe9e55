"""The embedded source: textured models of five categories, generated from a seed.

A model is a pure function of category, seed and index; nothing is read from disk.
"""

import zlib

import numpy as np
import trimesh

from genren.data.procedural import airplane, cabinet, car, chair, sofa
from genren.errors import InputError

_BUILDERS = {
    "airplane": airplane.build,
    "cabinet": cabinet.build,
    "car": car.build,
    "chair": chair.build,
    "sofa": sofa.build,
}
CATEGORIES = tuple(_BUILDERS)


def build(category: str, seed: int, index: int) -> trimesh.Scene:
    """One textured model: +Y up, front towards +Z; scale and origin are the category's own.

    Args:
        category: one of CATEGORIES; any other is an InputError that names them.
        seed: of the whole collection, not negative.
        index: number of the model in the collection, not negative.

    Returns:
        A scene of named parts, each with texture, flat material or vertex colours. The same arguments give the same
        bytes from `scene.export(file_type="glb")`.

    """
    if category not in _BUILDERS:
        raise InputError(f"the procedural source has no category {category!r}; known are {', '.join(CATEGORIES)}")
    rng = np.random.default_rng([seed, index, zlib.crc32(category.encode())])
    return _BUILDERS[category](rng).scene()
