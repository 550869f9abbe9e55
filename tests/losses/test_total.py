"""The weighted total."""

import pytest
import torch

from genren.errors import InputError
from genren.losses.total import weigh


def test_a_term_of_weight_zero_is_not_computed():
    """Zero-weight terms cost nothing and cannot poison the sum."""

    def explode() -> torch.Tensor:
        raise AssertionError

    total, values = weigh({"a": lambda: torch.tensor(2.0), "b": explode}, {"a": 3.0, "b": 0.0})

    assert total == 6
    assert values == {"a": 2}


def test_terms_and_weights_must_have_the_same_names():
    """A forgotten weight is an error that names both sides."""
    with pytest.raises(InputError, match=r"terms are \['a'\], weights are given for \['b'\]"):
        weigh({"a": lambda: torch.tensor(1.0)}, {"b": 1.0})
