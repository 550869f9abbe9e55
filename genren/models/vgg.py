"""Features of VGG-16 for the perceptual term `image_vgg`; weights are the user's own file (method: 3.5)."""

from pathlib import Path

import torch
from torch import Tensor, nn

from genren.errors import InputError

# Convolutions up to relu4_3, with pooling between the groups; features are read at each group's end.
GROUPS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's


class VGG16(nn.Module):
    """The first ten convolutions, under torchvision's names, never trained."""

    mean: Tensor
    std: Tensor

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        self.taps: list[int] = []
        inputs = 3
        for group in GROUPS:
            for outputs in group:
                layers += [nn.Conv2d(inputs, outputs, 3, padding=1), nn.ReLU()]
                inputs = outputs
            self.taps.append(len(layers))
            layers.append(nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers[:-1])
        self.register_buffer("mean", torch.tensor(MEAN)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(STD)[:, None, None], persistent=False)
        self.requires_grad_(False)

    def forward(self, image: Tensor) -> list[Tensor]:
        """RGB (B, 3, S, S) in [-1, 1] to features at relu1_2, relu2_2, relu3_3 and relu4_3."""
        x = ((image + 1) / 2 - self.mean) / self.std
        outputs, start = [], 0
        for end in self.taps:
            x = self.features[start:end](x)
            outputs.append(x)
            start = end
        return outputs


def load_vgg16(path: str) -> VGG16:
    """VGG-16 from a state dict with torchvision's names (`vgg16-397923af.pth`); InputError if the file is another."""
    if not Path(path).is_file():
        raise InputError(f"train.vgg_weights names {path}, which does not exist; give VGG-16's state dict")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise InputError(f"{path} cannot be read as a state dict ({type(error).__name__})") from None
    vgg = VGG16()
    wanted = vgg.state_dict()
    unfit = [name for name in wanted if name not in state or state[name].shape != wanted[name].shape]
    if unfit:
        raise InputError(f"{path} has no fitting {unfit[0]}; expected torchvision's VGG-16")
    vgg.load_state_dict({name: state[name] for name in wanted})
    return vgg
