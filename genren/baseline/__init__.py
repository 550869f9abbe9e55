"""Step `baseline`: the training images in, an image generator out that renders are held against."""

from genren.baseline.gan import baseline

__all__ = ["baseline"]
