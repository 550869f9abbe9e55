"""The weighted total: terms are a dict, weights are a dict with the same keys."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from genren.errors import InputError

Terms = Mapping[str, Callable[[], Tensor]]


def weigh(terms: Terms, weights: Mapping[str, float]) -> tuple[Tensor, dict[str, Tensor]]:
    """Weighted sum of the terms, and their detached values; a term of weight 0 is not computed.

    Raises InputError if the keys differ: a term without a weight, or a weight without a term.
    """
    if terms.keys() != weights.keys():
        raise InputError(f"loss terms are {sorted(terms)}, weights are given for {sorted(weights)}; name each once")
    values = {name: term() for name, term in terms.items() if weights[name] != 0}
    total = torch.stack([weights[name] * value for name, value in values.items()]).sum()
    return total, {name: value.detach() for name, value in values.items()}
