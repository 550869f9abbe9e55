"""Categories: the names and folder numbers that the field's data use."""

import re

import pytest

from genren.categories import SYNSETS, synset
from genren.data.procedural import CATEGORIES
from genren.errors import InputError


def test_every_category_has_a_folder_of_its_own():
    """Thirteen categories, thirteen WordNet offsets of eight digits: a typo would mix or lose models."""
    assert len(SYNSETS) == len(set(SYNSETS.values())) == 13
    assert all(re.fullmatch(r"\d{8}", number) for number in SYNSETS.values())
    assert (synset("cabinet"), synset("chair"), synset("airplane")) == ("02933112", "03001627", "02691156")


def test_an_unknown_category_is_answered_with_the_known_ones():
    """The sentence lists what would work."""
    with pytest.raises(InputError, match=r"'cabinte' does not exist; known are airplane, bench, cabinet, .*vessel"):
        synset("cabinte")


def test_the_generator_makes_only_known_categories():
    """What the built-in source offers can be asked for on the command line."""
    assert set(CATEGORIES) <= set(SYNSETS)
