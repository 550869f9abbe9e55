"""Confidence in a mean over models: how far another draw of test models would have moved it."""

import numpy as np

from genren.errors import InputError

DRAWS = 2000
LEVEL = 0.95


def interval(values: np.ndarray, seed: int) -> tuple[float, float] | None:
    """Percentile bootstrap 95 % interval of the mean of one value a model (M,); None where a value is missing.

    Models are drawn, not views: the views of one model rise and fall together, and would pass for more evidence than
    they are. Percentiles are a little too narrow for a handful of models.
    """
    if values.ndim != 1 or len(values) < 2:
        raise InputError(f"an interval needs one value of each of at least 2 models, got {values.shape}")
    if not np.isfinite(values).all():
        return None
    rng = np.random.default_rng(seed)
    means = values[rng.integers(len(values), size=(DRAWS, len(values)))].mean(1)
    low, high = np.quantile(means, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)
