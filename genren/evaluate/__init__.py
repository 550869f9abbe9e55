"""Step `evaluate`: a checkpoint and the test split in, metrics with their baselines, rows and pictures out."""

from genren.evaluate.evaluate import evaluate

__all__ = ["evaluate"]
