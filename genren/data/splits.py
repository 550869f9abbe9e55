"""Splitting models into train, val and test, whole designs at a time."""

import numpy as np

from genren.errors import InputError

SPLITS = ("train", "val", "test")


def split_designs(designs: list[str], fractions: tuple[float, float, float], seed: int) -> list[str]:
    """Split of each model, given its design and the fractions of train, val and test.

    Models of one design always land together. The fractions hold for designs and are rounded, except that every split
    gets at least one design; fewer than three designs are therefore an error. The same seed and the same set of
    designs give the same splits.
    """
    unique = sorted(set(designs))
    if len(unique) < len(SPLITS):
        raise InputError(
            f"{len(designs)} models of {len(unique)} designs cannot fill {', '.join(SPLITS)}; expected at least 3 "
            "designs: fetch more models, or say in designs.csv which of them differ"
        )
    shares = np.array(fractions) / sum(fractions)
    val, test = (max(1, round(len(unique) * share)) for share in shares[1:])
    # Rounding must leave something to train on.
    while val + test >= len(unique):
        val, test = (val - 1, test) if val > test else (val, test - 1)
    order = np.random.default_rng(seed).permutation(len(unique))
    split_of = {unique[index]: "val" for index in order[:val]}
    split_of |= {unique[index]: "test" for index in order[val : val + test]}
    return [split_of.get(design, "train") for design in designs]
