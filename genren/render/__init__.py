"""The differentiable renderer: the DIB-R operator in Warp, and the camera-aware renderer on top of it."""

from genren.render.dibr import dibr_rasterization, dibr_soft_mask, rasterize
from genren.render.renderer import Renderer
from genren.render.texture import texture_mapping

__all__ = ["Renderer", "dibr_rasterization", "dibr_soft_mask", "rasterize", "texture_mapping"]
