"""The differentiable renderer: the DIB-R operator in Warp, and the camera-aware renderer on top of it."""

from genren.render.dibr import dibr_rasterization, dibr_soft_mask, rasterize

__all__ = ["dibr_rasterization", "dibr_soft_mask", "rasterize"]
