"""Splitting models by design."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genren.data.splits import split_designs
from genren.errors import InputError

FRACTIONS = (0.8, 0.1, 0.1)


@given(
    st.lists(st.integers(0, 30).map(str), max_size=60),
    st.tuples(*[st.floats(0.01, 1)] * 3),
    st.integers(0, 1000),
)
def test_designs_stay_together_and_no_split_is_empty(
    designs: list[str], fractions: tuple[float, float, float], seed: int
) -> None:
    """Whatever the designs, fractions and seed: a design has one split, and three or more designs fill all splits."""
    if len(set(designs)) < 3:
        with pytest.raises(InputError, match="at least 3 designs"):
            split_designs(designs, fractions, seed)
        return
    splits = split_designs(designs, fractions, seed)

    assert len(set(zip(designs, splits, strict=True))) == len(set(designs))
    assert {"train", "val", "test"} == set(splits)


def test_fractions_hold() -> None:
    """Of 100 designs at 0.8, 0.1, 0.1 there are 80, 10 and 10."""
    splits = split_designs([str(index) for index in range(100)], FRACTIONS, 0)

    assert [splits.count(name) for name in ("train", "val", "test")] == [80, 10, 10]


def test_the_seed_and_the_set_decide() -> None:
    """The order of the models does not matter, the seed does."""
    designs = [str(index) for index in range(50)]
    splits = split_designs(designs, FRACTIONS, 0)

    assert splits == split_designs(designs[::-1], FRACTIONS, 0)[::-1]
    assert splits != split_designs(designs, FRACTIONS, 1)
