"""The curriculum: which stage a step belongs to, and the two annealed weights (method: 4.1, 4.2)."""

from dataclasses import dataclass
from typing import Literal

from genren.params import StageParams

Name = Literal["autoencoder", "randomised", "mode1", "mode2", "mode3"]


@dataclass(frozen=True)
class Stage:
    """What one generator step trains."""

    name: Name
    vision: float  # weight a(i) of the vision cycle; 0 where it does not run
    graphics: float  # weight b of the full graphics cycle; the domain-randomised one has the rest

    @property
    def critics(self) -> bool:
        """Whether image and texture critics and the pose buffer learn."""
        return self.name in ("mode2", "mode3")


def stage_at(step: int, lengths: StageParams) -> Stage:
    """Stage of the 0-based generator step `step`."""
    start = 0
    vision_starts = lengths.autoencoder + lengths.randomised
    name: Name
    for name in ("autoencoder", "randomised", "mode1", "mode2", "mode3"):
        length: int = getattr(lengths, name)
        if step < start + length or name == "mode3":
            break
        start += length
    # One step into mode 1 has weight 0.01 + 0.99 / period, as the original counts from one.
    since = step - vision_starts + 1
    vision = min(0.01 + 0.99 * since / lengths.annealing, lengths.vision_limit) if since > 0 else 0.0
    graphics = {"mode2": 0.01 + 0.98 * (step - start + 1) / max(lengths.mode2, 1), "mode3": 1.0}.get(name, 0.0)
    return Stage(name, vision, graphics)
