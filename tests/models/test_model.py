"""The model's shapes, deterministic maps and independence of the batch."""

import pytest
import torch

from genren.models.critics import Critics
from genren.models.model import GenerativeRenderer, unproject
from genren.models.texture import sample_texture
from genren.params import TrainParams
from genren.render import Renderer


@pytest.fixture
def model(tiny_params: TrainParams) -> GenerativeRenderer:
    """A fresh tiny model."""
    return GenerativeRenderer(tiny_params.model).eval()


def test_inference_has_the_documented_shapes(model: GenerativeRenderer):
    """Shape once per image; pose, probability and texture once per hypothesis."""
    inferred = model.infer(torch.rand(3, 4, 32, 32))

    assert inferred.shape.v.shape == (3, 6)
    assert inferred.shape.vertices.shape == (3, 42, 3)
    assert inferred.pose.rotation.shape == (3, 2, 3, 3)
    assert inferred.pose.translation.shape == (3, 2, 3)
    assert inferred.posed.shape == (3, 2, 42, 3)
    assert inferred.xi_t.shape == (3, 2, 5)
    torch.testing.assert_close(inferred.probabilities.sum(1), torch.ones(3))
    assert model.hypothesis_textures(inferred).colors.shape == (6, 42, 3)


def test_an_answer_does_not_depend_on_its_batch(model: GenerativeRenderer):
    """One image alone gives what it gives among others: no batch statistics in evaluation."""
    images, clouds = torch.rand(3, 4, 32, 32), torch.rand(3, 50, 3)

    together, alone = model.infer(images), model.infer(images[:1])
    shapes, shape = model.encode(clouds, clouds), model.encode(clouds[:1], clouds[:1])

    torch.testing.assert_close(together.posed[:1], alone.posed)
    torch.testing.assert_close(together.xi_t[:1], alone.xi_t)
    torch.testing.assert_close(shapes.vertices[:1], shape.vertices)


def test_translations_stay_in_their_box(model: GenerativeRenderer, tiny_params: TrainParams):
    """Whatever the networks say, the object stays in front of the camera."""
    pose = model.generate_pose(1e4 * torch.randn(50, 4))
    low, high = (torch.tensor(getattr(tiny_params.model, f"translation_{end}")) for end in ("min", "max"))

    assert (pose.translation >= low).all()
    assert (pose.translation <= high).all()


def test_an_untrained_shape_is_the_template(model: GenerativeRenderer):
    """Displacements begin small beside the template."""
    shape = model.encode(torch.rand(2, 50, 3), torch.rand(2, 50, 3))

    assert (shape.vertices - model.template_vertices).abs().max() < 0.1
    assert model.template_vertices.norm(dim=1).max().item() == pytest.approx(0.5, abs=1e-6)


def test_hypotheses_start_apart(model: GenerativeRenderer):
    """Each pose hypothesis begins in a basin of its own: half a turn apart for two."""
    inferred = model.infer(torch.rand(1, 4, 32, 32))
    one, other = inferred.pose.rotation[0]

    assert (one * other).sum() < 0


def test_rendering_then_unprojecting_returns_the_colours(model: GenerativeRenderer, tiny_params: TrainParams):
    """Projection, pixel centres and the flip of y agree between rasteriser and sampler (method: 8.1, wart 4)."""
    renderer = Renderer(model.template_faces, model.camera, 128, tiny_params.render)
    vertices = model.template_vertices[None]
    # Colour is a linear function of position, so that interpolation between vertices does not blur it.
    colors = vertices + 0.5
    image = renderer(vertices, colors)

    pixels = unproject(image, vertices[:, None], model.camera)[0, 0]

    facing = model.template_vertices[:, 2] > 0.3
    assert facing.sum() >= 8
    # A flip or a mirror would be off by up to 1.
    torch.testing.assert_close((pixels[facing, :3] + 1) / 2, colors[0, facing], atol=0.1, rtol=0)
    assert (pixels[facing, 3] > 0.99).all()


def test_texture_sampling_reads_the_texel_under_the_coordinate():
    """Horizontal is the first coordinate, top row is -1, half-pixel centres."""
    texture = torch.zeros(1, 3, 4, 4)
    texture[0, 0, 0, 3] = 1

    colors = sample_texture(texture, torch.tensor([[0.75, -0.75], [-0.75, -0.75], [0.75, 0.75]]))

    torch.testing.assert_close(colors[0, :, 0], torch.tensor([1.0, 0, 0]))


def test_critic_features_are_those_the_next_block_sees(tiny_params: TrainParams):
    """All levels but the last are rectified, sizes halve, channels double (method: 1.6)."""
    critics = Critics(tiny_params.model, 42)

    features = critics.image.features(torch.randn(2, 4, 32, 32))

    assert [f.shape[2] for f in features] == [16, 8, 4, 2]
    assert all((f >= 0).all() for f in features[:-1])
    assert (features[-1] < 0).any()
    assert critics.image(torch.randn(2, 4, 32, 32)).shape == (2,)


def test_a_full_width_critic_has_the_specified_parameters(tiny_params: TrainParams):
    """At width 1024 and 64 pixels the critics have the original's parameter counts."""
    full = tiny_params.model.model_copy(
        update={
            "img_size": 64,
            "texture_size": 64,
            "critic_width": 1024,
            "dim_v": 64,
            "shape_critic_hidden": (512, 128),
            "norm": "batch",
        }
    )
    critics = Critics(full, 1002)
    counts = {name: sum(p.numel() for p in critic.parameters()) for name, critic in critics.named_children()}

    assert counts == {"image": 10_142_081, "texture": 10_141_441, "shape": 1_871_489, "rotation": 269_332}


def test_full_width_networks_have_the_specified_parameters(tiny_params: TrainParams):
    """With the original's sizes every network has the original's parameter count (method: 1.5)."""
    full = tiny_params.model.model_copy(
        update={
            "img_size": 64, "texture_size": 64, "subdivisions": 10, "dim_v": 64, "dim_xi_t": 128, "dim_xi_p": 16,
            "dim_embedding": 512, "hypotheses": 4, "point_width": 64, "deformation_hidden": (600, 900, 1200),
            "backbone_width": 64, "conditioning_hidden": (800, 400), "texture_hidden": (512, 384, 256),
            "texture_width": 1024, "norm": "batch", "rotation": "3a",
        }
    )  # fmt: skip
    model = GenerativeRenderer(full)

    def count(*modules: torch.nn.Module) -> int:
        return sum(p.numel() for module in modules for p in module.parameters())

    assert count(model.shape_encoder) == 967_616
    assert count(model.deformation) == 5_276_706
    assert count(model.backbone) == 11_443_328
    assert count(model.shape_head) == 32_832
    assert count(model.pose_heads) == 66_436 + 25_896
    assert count(model.texture_inference) == 2_605_024
    assert count(model.mesh_conditioning) == 2_728_400
    assert count(model.texture_generator) == 18_774_275
    assert count(model.pose_generator) == 1_606
    assert count(model) == 41_922_119
