"""Which extractors and weights a run has: those that its settings name and give files for."""

from genren.errors import InputError
from genren.metrics.dinov2 import DinoV2Extractor
from genren.metrics.extractor import FeatureExtractor, RandomConvExtractor
from genren.metrics.inception import InceptionExtractor
from genren.metrics.lpips import Lpips
from genren.params import EvaluateParams


def open_extractors(params: EvaluateParams) -> list[FeatureExtractor]:
    """The extractors that are asked for and have their weights; another is never put in the place of one without."""
    opened: list[FeatureExtractor] = []
    for name in params.extractors:
        if name == "randconv":
            opened.append(RandomConvExtractor())
        elif weights := params.weights.get(name):
            kind = InceptionExtractor if name == "inception" else DinoV2Extractor
            opened.append(kind(weights.source, weights.sha256))
    if not opened:
        raise InputError(
            f"none of the extractors {', '.join(params.extractors) or '(none named)'} has its weights;"
            " name randconv, which needs none, or give evaluate.weights"
        )
    return opened


def open_lpips(params: EvaluateParams) -> Lpips | None:
    """LPIPS where both of its files are given, else None."""
    vgg16, linear = params.weights.get("vgg16"), params.weights.get("lpips")
    if vgg16 is None or linear is None:
        return None
    return Lpips((vgg16.source, vgg16.sha256), (linear.source, linear.sha256))


def missing_weights(params: EvaluateParams) -> list[str]:
    """Extractors that were asked for and left out."""
    return [name for name in params.extractors if name != "randconv" and name not in params.weights]
