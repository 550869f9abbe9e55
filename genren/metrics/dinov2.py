"""DINOv2 features (Oquab et al. 2023), which Stein et al. 2023 recommend in the place of Inception's.

The network is small enough to be here: the usual way to it downloads and runs code. Names of modules are those of the
released state dicts (`dinov2_vit{s,b,l}14_pretrain.pth`), whose widths say which of the three it is.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from genren.errors import InputError
from genren.metrics.extractor import check_images
from genren.metrics.weights import checked, load_state

PATCH = 14
SIZE = 224  # pixels of the input, 16 x 16 patches
HEAD_WIDTH = 64
BATCH = 32
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
LETTERS = {384: "s", 768: "b", 1024: "l"}


class _Scale(nn.Module):
    """One factor a channel."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(width))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.gamma


class _Attention(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        q, k, v = self.qkv(x).unflatten(-1, (3, -1, HEAD_WIDTH)).permute(2, 0, 3, 1, 4)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))


class _Mlp(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc2(F.gelu(self.fc1(x)))


class _Block(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width, eps=1e-6), nn.LayerNorm(width, eps=1e-6)
        self.attn, self.mlp = _Attention(width), _Mlp(width)
        self.ls1, self.ls2 = _Scale(width), _Scale(width)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.ls1(self.attn(self.norm1(x)))
        return x + self.ls2(self.mlp(self.norm2(x)))


class VisionTransformer(nn.Module):
    """DINOv2's encoder; the feature is the normalised class token."""

    def __init__(self, width: int, depth: int, positions: int) -> None:
        super().__init__()
        self.cls_token = nn.Parameter(torch.zeros(1, 1, width))
        self.mask_token = nn.Parameter(torch.zeros(1, width))  # of its training; in the file, so here
        self.pos_embed = nn.Parameter(torch.zeros(1, positions, width))
        self.patch_embed = nn.ModuleDict({"proj": nn.Conv2d(3, width, PATCH, PATCH)})
        self.blocks = nn.ModuleList(_Block(width) for _ in range(depth))
        self.norm = nn.LayerNorm(width, eps=1e-6)

    def forward(self, x: Tensor) -> Tensor:
        """Normalised RGB (B, 3, S, S), S a multiple of 14, to (B, width)."""
        tokens = self.patch_embed["proj"](x).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.cls_token.expand(len(x), -1, -1), tokens], dim=1)
        tokens = tokens + self._positions(x.shape[-1] // PATCH)
        for block in self.blocks:
            tokens = block(tokens)
        return self.norm(tokens)[:, 0]

    def _positions(self, side: int) -> Tensor:
        """Position codes (1, 1 + side^2, width), from those of the square grid that it was trained with."""
        own, grid = self.pos_embed[:, :1], self.pos_embed[:, 1:]
        trained = round(grid.shape[1] ** 0.5)
        if trained != side:
            image = grid.transpose(1, 2).unflatten(2, (trained, trained))
            # The released models were evaluated with this scale, a tenth of a patch too large.
            scale = (side + 0.1) / trained
            grid = F.interpolate(image, scale_factor=scale, mode="bicubic").flatten(2).transpose(1, 2)
        return torch.cat([own, grid], dim=1)


class DinoV2Extractor:
    """Class tokens (N, 384, 768 or 1024) of uint8 RGB images of any size; distances are `fd_dinov2...` and `kd_...`."""

    resize = "half-pixel bicubic to 224"
    distances = ("fd", "kd")

    def __init__(self, source: str, sha256: str) -> None:
        """Read weights from a path or URL; InputError for a wrong digest or a file of another network."""
        state = load_state(checked("dinov2", source, sha256))
        self.sha256: str | None = sha256
        try:
            positions, width = state["pos_embed"].shape[1:]
            depth = 1 + max(int(name.split(".")[1]) for name in state if name.startswith("blocks."))
            self.network = VisionTransformer(width, depth, positions)
            self.network.load_state_dict(state)
        except (KeyError, ValueError, RuntimeError) as error:
            first = str(error).splitlines()[0]
            raise InputError(f"{source} holds no DINOv2 of patch 14, small, base or large ({first})") from None
        self.network.eval()
        self.name = f"dinov2vit{LETTERS.get(width, str(width))}14"

    def __call__(self, images: Tensor) -> Tensor:
        """Features (N, D) float32 of images (N, 3, H, W), uint8 RGB."""
        check_images(images)
        with torch.no_grad():
            return torch.cat([self._features(batch.cpu().float() / 255) for batch in images.split(BATCH)])

    def _features(self, x: Tensor) -> Tensor:
        x = F.interpolate(x, (SIZE, SIZE), mode="bicubic", antialias=x.shape[-1] > SIZE).clamp(0, 1)
        mean, deviation = (torch.tensor(values)[:, None, None] for values in (MEAN, DEVIATION))
        features: Tensor = self.network((x - mean) / deviation)
        return features
