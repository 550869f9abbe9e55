"""Meshes as files: what another program reads back is what the model made."""

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from genren.geometry.color import srgb_to_linear
from genren.geometry.meshfile import load_mesh
from genren.models.export import save_meshes
from genren.models.model import GenerativeRenderer
from genren.models.translate import Translation, drawer, image_to_shape
from genren.params import TrainParams
from genren.render import Renderer


def made(params: TrainParams, sampling: str) -> tuple[GenerativeRenderer, Translation]:
    """A tiny model and its answer to two images."""
    model = GenerativeRenderer(params.model.model_copy(update={"texture_sampling": sampling})).eval()
    draw = drawer(model, Renderer.hard(model.template_faces, model.camera, 32))
    return model, image_to_shape(model, draw, torch.rand(2, 4, 32, 32), 2)


def test_a_textured_mesh_carries_its_texture_image(tiny_params: TrainParams, tmp_path: Path):
    """Drawn pixel by pixel, a mesh is written with its image, and each corner keeps its place on it."""
    model, result = made(tiny_params, "pixel")

    save_meshes([tmp_path / "0.glb", tmp_path / "1.glb"], model, result)

    mesh = trimesh.load(tmp_path / "1.glb", force="mesh")
    image = np.asarray(mesh.visual.material.baseColorTexture.convert("RGB"))
    assert len(mesh.faces) == len(model.template_faces)
    np.testing.assert_allclose(image / 255, result.texture.image[1].permute(1, 2, 0), atol=1 / 255)
    # By position: a vertex off the seam and the poles has one coordinate, that of the template.
    inside = model.template_uv[:, 0].abs() < 0.6
    for vertex, uv in zip(result.vertices[1][inside], model.template_uv[inside], strict=True):
        found = mesh.visual.uv[np.linalg.norm(mesh.vertices - vertex.numpy(), axis=1).argmin()]
        if abs(uv[1]) < 0.9:
            # trimesh's v runs up.
            np.testing.assert_allclose(found, [(uv[0] + 1) / 2, (1 - uv[1]) / 2], atol=1e-4)


def test_a_mesh_of_vertex_colours_has_no_texture(tiny_params: TrainParams, tmp_path: Path):
    """Coloured at the vertices, a mesh is written with its colours and exactly its vertices."""
    model, result = made(tiny_params, "vertex")

    save_meshes([tmp_path / "0.glb"], model, result)

    mesh = load_mesh(tmp_path / "0.glb")
    assert (mesh.face_texture == -1).all()
    np.testing.assert_allclose(mesh.vertices, result.vertices[0], atol=1e-6)
    colors = srgb_to_linear(result.colors[0].numpy())[mesh.faces]
    np.testing.assert_allclose(mesh.face_colors, colors, atol=1e-3)


def test_no_mesh_is_no_file(tiny_params: TrainParams, tmp_path: Path):
    """As many files as names, and nothing else."""
    model, result = made(tiny_params, "pixel")

    save_meshes([], model, result)

    assert not list(tmp_path.iterdir())
    with pytest.raises(IndexError):
        save_meshes([tmp_path / f"{i}.glb" for i in range(3)], model, result)
