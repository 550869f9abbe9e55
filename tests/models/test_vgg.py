"""VGG-16's features from the user's own weights."""

from pathlib import Path

import pytest
import torch

from genren.errors import InputError
from genren.models.vgg import VGG16, load_vgg16


def weights(path: Path) -> dict[str, torch.Tensor]:
    """A state dict as torchvision saves it, with a classifier besides."""
    state = VGG16().state_dict() | {"classifier.0.weight": torch.zeros(2, 2)}
    torch.save(state, path)
    return state


def test_weights_are_found_by_torchvisions_names(tmp_path: Path):
    """Convolutions 0 to 21 are taken, the classifier is left, and features halve from tap to tap."""
    state = weights(tmp_path / "vgg16.pth")

    vgg = load_vgg16(str(tmp_path / "vgg16.pth"))

    assert torch.equal(vgg.features[21].weight, state["features.21.weight"])
    shapes = [tuple(f.shape[1:]) for f in vgg(torch.zeros(1, 3, 32, 32))]
    assert shapes == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]


def test_features_are_rectified_and_images_normalised(tmp_path: Path):
    """Taps follow a ReLU; the mean colour of ImageNet is zero to the first convolution."""
    vgg = VGG16()
    mean = (2 * vgg.mean - 1).expand(1, 3, 32, 32)

    first = vgg.features[0](torch.zeros(1, 3, 32, 32)).relu()
    seen = []
    vgg.features[0].register_forward_hook(lambda module, inputs, output: seen.append(output.relu()))

    assert all((f >= 0).all() for f in vgg(mean))
    torch.testing.assert_close(seen[0], first, atol=1e-6, rtol=0)


def test_files_that_are_something_else_are_refused(tmp_path: Path):
    """Missing, not a state dict, other shapes: one sentence each, and nothing is unpickled but tensors."""
    with pytest.raises(InputError, match=r"nowhere\.pth, which does not exist"):
        load_vgg16(str(tmp_path / "nowhere.pth"))
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(InputError, match="cannot be read as a state dict"):
        load_vgg16(str(tmp_path / "text.pth"))
    torch.save({"features.0.weight": torch.zeros(3)}, tmp_path / "other.pth")
    with pytest.raises(InputError, match=r"no fitting features\.0\.weight; expected torchvision's VGG-16"):
        load_vgg16(str(tmp_path / "other.pth"))
    torch.save(Path("x"), tmp_path / "object.pth")
    with pytest.raises(InputError, match="cannot be read as a state dict"):
        load_vgg16(str(tmp_path / "object.pth"))
