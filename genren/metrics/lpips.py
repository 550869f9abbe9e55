"""LPIPS (Zhang et al. 2018), version 0.1 on VGG16, where both of its files of weights are at hand.

The files: torchvision's `vgg16-397923af.pth` (ImageNet) and `vgg.pth` of the authors, one weight a channel and layer.
"""

import torch
from torch import Tensor, nn

from genren.errors import InputError
from genren.metrics.silhouette import check_pair
from genren.metrics.weights import checked, load_state

# VGG16's convolutions, the width of each; a pool halves the image between groups, and each group ends in a tap.
GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # of inputs in [-1, 1]
BATCH = 64


class Lpips:
    """Perceptual distance of image pairs; 0 is best, unbounded, about 0.1 for small blur."""

    name = "lpips_vgg"

    def __init__(self, vgg16: tuple[str, str], linear: tuple[str, str]) -> None:
        """Each argument is a path or URL and its sha256; InputError for a wrong digest or other networks' files."""
        self.sha256 = (vgg16[1], linear[1])
        features, weights = load_state(checked("vgg16", *vgg16)), load_state(checked("lpips", *linear))
        self.groups: list[nn.Sequential] = []
        index, inputs = 0, 3
        try:
            for number, widths in enumerate(GROUPS):
                group = nn.Sequential()
                if number:
                    group.append(nn.MaxPool2d(2))
                    index += 1
                for width in widths:
                    conv = nn.Conv2d(inputs, width, 3, padding=1)
                    conv.load_state_dict({k: features[f"features.{index}.{k}"] for k in ("weight", "bias")})
                    group += nn.Sequential(conv, nn.ReLU())
                    index, inputs = index + 2, width
                self.groups.append(group)
            self.linear = [weights[f"lin{number}.model.1.weight"] for number in range(len(GROUPS))]
        except (KeyError, RuntimeError) as error:
            raise InputError(f"the weights of lpips are not those of VGG16 and its linear layers ({error})") from None

    @torch.no_grad()
    def __call__(self, predicted: Tensor, target: Tensor) -> Tensor:
        """LPIPS (B,) of the RGB of images (B, 3 or 4, H, W) in [0, 1] over black, at their own size."""
        check_pair(predicted, target)
        pairs = zip(predicted[:, :3].split(BATCH), target[:, :3].split(BATCH), strict=True)
        return torch.cat([self._distance(x, y) for x, y in pairs])

    def _distance(self, x: Tensor, y: Tensor) -> Tensor:
        shift, scale = (torch.tensor(values)[:, None, None] for values in (SHIFT, SCALE))
        both = (2 * torch.cat([x, y]) - 1 - shift) / scale
        total = torch.zeros(len(x))
        for group, linear in zip(self.groups, self.linear, strict=True):
            both = group(both)
            one, other = (both / (both.norm(dim=1, keepdim=True) + 1e-10)).chunk(2)
            total = total + nn.functional.conv2d((one - other).square(), linear).mean((1, 2, 3))
        return total
