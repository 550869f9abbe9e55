"""What every distance between two sets of features asks of them, and what its number is called."""

from torch import Tensor

from genren.errors import InputError


def metric_key(distance: str, extractor: str, count: int) -> str:
    """Name of a feature distance, such as `fd_randconv448_seed0_n768`: the number depends on all of its parts."""
    return f"{distance}_{extractor}_n{count}"


def check_features(name: str, features: Tensor, least: int) -> Tensor:
    """Features (N, D) in float64, or InputError when they are of another shape, too few or not finite."""
    if features.dim() != 2:
        raise InputError(f"{name} features must be (N, D), got {tuple(features.shape)}")
    if len(features) < least:
        raise InputError(f"{name} features hold {len(features)} samples; at least {least} are needed")
    if not features.isfinite().all():
        raise InputError(f"{name} features are not finite; check the images they were taken from")
    return features.double()
