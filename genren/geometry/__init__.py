"""Meshes, cameras, rotations, the sphere template, surface sampling, nearest neighbours and mesh files."""
