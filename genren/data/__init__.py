"""Where models come from, the layout of 3D-R2N2 on disk, splits, and the packed store."""
