"""FID's own network: the 2015 TensorFlow Inception v3, through torch-fidelity, a part of the extra genren[fid]."""

import contextlib
import sys
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.extractor import check_images
from genren.metrics.weights import checked, load_state

# The file that torch-fidelity, torchmetrics and pytorch-fid all read.
SHA256 = "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2"
BATCH = 32  # images at once: 300 MB of activations at 299 x 299


class InceptionExtractor:
    """Pool features (N, 2048) of uint8 RGB images of any size; distances of these alone are called FID and KID."""

    name = "inceptiontf_tf1bilinear"
    # TensorFlow 1's grid, as in the original code; half-pixel bilinear moves pixels by up to half the range.
    resize = "tf1 bilinear to 299"
    distances = ("fid", "kid")

    def __init__(self, source: str, sha256: str = SHA256) -> None:
        """Read weights from a path or URL; InputError for a wrong digest, another network's file, a missing extra."""
        network = _network()
        self.sha256: str | None = sha256
        self.network = network(checked("inception", source, sha256))

    def __call__(self, images: Tensor) -> Tensor:
        """Features (N, 2048) float32 of images (N, 3, H, W), uint8 RGB."""
        check_images(images)
        with torch.no_grad():
            return torch.cat([self.network(batch.cpu())[0] for batch in images.split(BATCH)])


def _network() -> Any:
    """Path of weights -> network; imported here, since only those who ask for FID need have it."""
    try:
        # torch-fidelity talks while it is imported.
        with contextlib.redirect_stdout(sys.stderr):
            from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:
        raise InputError(
            f"the extractor inception needs torch-fidelity and the torchvision of your torch ({error});"
            " pip install 'genren[fid]'"
        ) from None

    def build(path: Path) -> Any:
        # Read here first, where nothing but tensors is unpickled: the library would unpickle anything.
        state = load_state(path)
        try:
            network = FeatureExtractorInceptionV3(
                "inception-v3-compat", ["2048"], feature_extractor_weights_path=str(path)
            )
        except (RuntimeError, KeyError) as error:
            first = str(error).splitlines()[0]
            raise InputError(f"{path} holds {len(state)} tensors that do not fit Inception v3 ({first})") from None
        return network.eval()

    return build
