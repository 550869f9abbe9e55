"""What a call keeps in memory beside its results."""

import pytest

from tests.benchmarks.memory import memory


@pytest.mark.parametrize(("batch", "size", "subdivisions"), [(64, 64, 10), (4, 128, 10), (16, 64, 4), (1, 512, 32)])
def test_a_call_needs_little_more_than_its_outputs(batch: int, size: int, subdivisions: int):
    """Forward and backward together need at most 4 times the outputs on top of them: no list of faces per pixel."""
    used = memory(batch, size, subdivisions)

    assert 0 < used.extra <= 4 * used.outputs


def test_faces_beyond_the_pixels_cost_their_gradients_and_little_else():
    """With three faces a pixel the gradients outweigh the pictures; what is neither stays below the two together."""
    used = memory(1, 256, 100)

    assert used.extra - used.gradients <= used.outputs + used.gradients
