"""What a call keeps in memory beside its results."""

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from genren.render import dibr_rasterization

from .scenes import sphere


@pytest.mark.parametrize(("batch", "size", "subdivisions"), [(4, 128, 10), (16, 64, 4), (1, 512, 32)])
def test_a_call_needs_little_more_than_its_outputs(batch: int, size: int, subdivisions: int):
    """Forward and backward together need at most 4 times the outputs on top of them: no list of faces per pixel."""
    depth, image, features = sphere(batch, subdivisions)
    image.requires_grad_()
    features.requires_grad_()
    normals = torch.ones_like(depth[..., 0])

    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        outputs = dibr_rasterization(size, size, depth, image, features, normals, knum=300)
        (outputs[0].sum() + outputs[1].sum()).backward()

    changes = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    alive = torch.tensor([event.nbytes() for event in sorted(changes, key=lambda event: event.start_ns())]).cumsum(0)
    size_of_outputs = sum(tensor.nbytes for tensor in outputs)
    assert alive.max() > size_of_outputs
    assert alive.max() - size_of_outputs <= 4 * size_of_outputs
