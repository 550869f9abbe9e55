"""Where the time of a step goes, and how much memory it takes."""

import resource
import sys
import time
from collections import defaultdict

import torch


class Clock:
    """Milliseconds by part of a step. On CUDA events are recorded, and waited for only when the times are read."""

    def __init__(self, device: torch.device, images: int) -> None:
        self.device, self.images = device, images
        self.marks: list[tuple[str, float | torch.cuda.Event]] = []  # a part's name, and when it began
        self.steps = 0  # since the last reading

    def __call__(self, part: str) -> None:
        """The last part ends and `part` begins."""
        self.marks.append((part, self._now()))

    def read(self) -> dict[str, float]:
        """Means of the steps since the last reading: milliseconds by part, images seen a second; peak memory in GB."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        milliseconds: dict[str, float] = defaultdict(float)
        for (part, start), (_, end) in zip(self.marks, self.marks[1:], strict=False):
            milliseconds[part] += _elapsed(start, end)
        steps, total = max(self.steps, 1), sum(milliseconds.values())
        # What follows the last mark belongs to the next reading.
        self.marks, self.steps = self.marks[-1:], 0
        return {f"time/{part}_ms": value / steps for part, value in milliseconds.items()} | {
            "time/images_per_second": 1000 * steps * self.images / max(total, 1e-9),
            "time/peak_memory_gb": self._peak(),
        }

    def _now(self) -> float | torch.cuda.Event:
        if self.device.type != "cuda":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event

    def _peak(self) -> float:
        """Most memory held so far: the device's, or the process's on the CPU."""
        if self.device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.device) / 1e9
        # ru_maxrss is in kibibytes on Linux, in bytes on macOS.
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9


def _elapsed(start: float | torch.cuda.Event, end: float | torch.cuda.Event) -> float:
    """Milliseconds between two marks."""
    if isinstance(start, torch.cuda.Event) and isinstance(end, torch.cuda.Event):
        return float(start.elapsed_time(end))
    assert isinstance(start, float)
    assert isinstance(end, float)
    return 1000 * (end - start)
