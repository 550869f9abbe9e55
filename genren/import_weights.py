"""Step `import-weights`: a state dict that the original released in, a checkpoint of preset `original` out."""

import hashlib
from pathlib import Path

from genren import params
from genren.models import checkpoint
from genren.models.original import import_model, read_state_dict
from genren.params import TrainParams

PRESET = "original"


def import_weights(file: Path, category: str, out: Path) -> tuple[Path, list[str]]:
    """Write `out`/model.safetensors from an original's `*.state_dict.pt`; return it and what differs from the preset.

    The checkpoint is of preset `original` with what the category's option set says, except for sizes and variants that
    the tensors themselves show: those are named, one sentence each. The file does not say after how many steps it was
    written, so the checkpoint's step is 0.
    """
    path = out / "model.safetensors"
    settings = params.with_preset({"preset": PRESET}, f"preset {PRESET}", category)
    preset = params.parse(TrainParams, settings, f"preset {PRESET}")
    model = import_model(read_state_dict(file), preset.model, str(file))
    found = preset.model_copy(update={"model": model.params})
    with file.open("rb") as stream:
        source = f"{file.name}, sha256 {hashlib.file_digest(stream, 'sha256').hexdigest()}"
    checkpoint.save(path, model, category, seed=0, step=0, params=found, source=source)
    differing = checkpoint.differences(found.model, preset.model, "train.model")
    return path, [f"{name} is {have}, {want} in the preset's set for {category}" for name, have, want in differing]
