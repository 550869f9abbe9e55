"""`python -m tests.benchmarks.memory`: what a call of the operator keeps in memory, for docs/performance.md."""

from typing import NamedTuple

import torch
from torch.profiler import ProfilerActivity, profile

from genren.render import dibr_rasterization
from tests.render.scenes import sphere

SCENES = ((64, 64, 10), (4, 128, 10), (16, 64, 4), (1, 512, 32), (1, 256, 100))


class Memory(NamedTuple):
    """Bytes of one forward and backward pass."""

    outputs: int  # features, mask, face indices
    gradients: int  # of positions and features
    extra: int  # most alive at a time, beyond the outputs


def memory(batch: int, size: int, subdivisions: int) -> Memory:
    """Watch a pass over spheres: three features, knum high enough for every face."""
    depth, image, features = sphere(batch, subdivisions)
    image.requires_grad_()
    features.requires_grad_()
    normals = torch.ones_like(depth[..., 0])
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as watched:
        drawn = dibr_rasterization(size, size, depth, image, features, normals, knum=300)
        (drawn[0].sum() + drawn[1].sum()).backward()
    changes = [event for event in watched.profiler.kineto_results.events() if event.name() == "[memory]"]
    alive = torch.tensor([event.nbytes() for event in sorted(changes, key=lambda event: event.start_ns())]).cumsum(0)
    outputs = sum(tensor.nbytes for tensor in drawn)
    return Memory(outputs, image.nbytes + features.nbytes, int(alive.max()) - outputs)


if __name__ == "__main__":
    header = ["pixels", "faces", "images", "outputs, MB", "gradients, MB", "extra / outputs", "rest / all results"]
    print(f"| {' | '.join(header)} |\n|{' --: |' * len(header)}")
    for batch, size, subdivisions in SCENES:
        m = memory(batch, size, subdivisions)
        ratios = f"{m.extra / m.outputs:.2f} | {(m.extra - m.gradients) / (m.outputs + m.gradients):.2f}"
        faces = f"{20 * subdivisions**2:,}"
        print(f"| {size} x {size} | {faces} | {batch} | {m.outputs / 1e6:.1f} | {m.gradients / 1e6:.1f} | {ratios} |")
