"""Cycle-consistent generative rendering: unpaired images and oriented clouds to textured meshes, and back."""

__version__ = "0.1.0"
