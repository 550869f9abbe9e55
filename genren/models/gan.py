"""The image-only baseline: a residual WGAN-GP generator of RGBA images, and its checkpoint (method: 6.2)."""

import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from genren import __version__
from genren.errors import InputError
from genren.files import replacing
from genren.models.blocks import UpBlock, norm

ALPHA_BIAS = -1.0  # most of a render is background


class ImageGenerator(nn.Module):
    """Noise to RGBA images, by the blocks of the texture generator; no shape and no camera behind them."""

    def __init__(self, noise: int, width: int, size: int, kind: str = "batch") -> None:
        super().__init__()
        self.noise, self.width, self.size, self.kind = noise, width, size, kind
        self.first = nn.Linear(noise, 16 * width)
        nn.init.xavier_uniform_(self.first.weight)
        self.blocks = nn.Sequential()
        # 4 x 4 pixels, doubled until `size`; channels halve with every block.
        inputs, pixels = width, 4
        while pixels < size:
            outputs = max(inputs // 2, 4)
            self.blocks.append(UpBlock(inputs, outputs, kind))
            inputs, pixels = outputs, 2 * pixels
        last = nn.Conv2d(inputs, 4, 3, padding=1)
        assert last.bias is not None
        with torch.no_grad():
            last.bias[3] = ALPHA_BIAS
        self.last = nn.Sequential(norm(inputs, kind, spatial=True), nn.ReLU(), last)

    def forward(self, noise: Tensor) -> Tensor:
        """(B, noise) to images as the renderer has them: RGB over black in [-1, 1], alpha in [0, 1], (B, 4, S, S)."""
        h = self.first(noise).unflatten(1, (self.width, 4, 4))
        color, alpha = self.last(self.blocks(h)).split((3, 1), dim=1)
        alpha = alpha.sigmoid()
        # Composited here, so that no colour can hide where nothing is.
        return torch.cat([(color.tanh() + 1) * alpha - 1, alpha], dim=1)


def save(path: Path, generator: ImageGenerator, category: str, seed: int, steps: int) -> None:
    """Write a generator, atomically, with what it is in the header."""
    shape = {name: getattr(generator, name) for name in ("noise", "width", "size", "kind")}
    described = {"version": __version__, "category": category, "seed": seed, "steps": steps, "generator": shape}
    tensors = {name: tensor.detach().contiguous().cpu() for name, tensor in generator.state_dict().items()}
    with replacing(path) as temporary:
        save_file(tensors, temporary, metadata={"genren_gan": json.dumps(described, sort_keys=True)})


def load(path: Path, category: str, size: int) -> ImageGenerator:
    """Read a generator in evaluation mode; InputError if the file is broken, or of another category or image size."""
    try:
        with safe_open(path, framework="pt") as file:
            described = json.loads((file.metadata() or {})["genren_gan"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (not a dict)
        generator = ImageGenerator(**described["generator"])
        generator.load_state_dict(tensors)
    except (SafetensorError, OSError, KeyError, TypeError, ValueError, RuntimeError) as error:
        first = str(error).splitlines()[0]
        raise InputError(
            f"{path} cannot be read as an image generator ({first}); run the stage baseline again"
        ) from None
    if described["category"] != category or generator.size != size:
        raise InputError(
            f"{path} makes {described['category']!r} images of {generator.size} pixels,"
            f" expected {category!r} of {size}; run the stage baseline again"
        )
    return generator.eval()
