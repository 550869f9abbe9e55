"""Step `train`: packed store in, checkpoint and live metrics out."""

from genren.train.loop import train

__all__ = ["train"]
