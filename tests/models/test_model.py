"""The model's shapes, deterministic maps and independence of the batch."""

import pytest
import torch

from genren.geometry.sphere import icosphere
from genren.models.image import probabilities
from genren.models.model import GenerativeRenderer
from genren.models.parts import Texture
from genren.models.texture import sample_texture
from genren.models.translate import drawer
from genren.models.unproject import hidden_depth, unproject
from genren.params import TrainParams
from genren.render import Renderer
from tests.conftest import preset


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

    pixels = unproject(image, vertices[:, None], model.camera, align_corners=False)[0, 0]

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


def test_the_original_has_the_specified_parameters():
    """Preset `original` has the published parameter count, network by network (method: 1.5)."""
    model = GenerativeRenderer(preset("original").model)

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


def test_impulses_add_up(tiny_params: TrainParams):
    """With several impulses every mesh on the way is the one before plus its own displacement."""
    model = GenerativeRenderer(tiny_params.model.model_copy(update={"impulses": 3}))
    shape = model.decode(torch.randn(2, 6))

    path = torch.cat([model.template_vertices.expand(2, 1, -1, 3), shape.between, shape.vertices[:, None]], dim=1)

    assert shape.delta.shape == (2, 3, 42, 3)
    torch.testing.assert_close(path.diff(dim=1), tiny_params.model.step_size * shape.delta)


def test_a_variational_encoder_draws_in_training_and_not_in_evaluation(tiny_params: TrainParams):
    """Two encodings of one cloud differ while training; in evaluation they are the Gaussian's mean."""
    model = GenerativeRenderer(tiny_params.model.model_copy(update={"vae": True}))
    cloud = torch.rand(2, 50, 3)

    drawn, again = model.encode(cloud, cloud), model.encode(cloud, cloud)
    model.eval()
    mean = model.encode(cloud, cloud)

    assert (drawn.v - again.v).abs().max() > 0.1
    assert mean.posterior is not None
    torch.testing.assert_close(mean.v, mean.posterior[0])


@pytest.mark.parametrize("kind", ["softmax", "simplex", "allan"])
def test_probabilities_sum_to_one_and_keep_the_order(kind: str):
    """Every method gives a distribution; `allan` bounds its largest ratio, `simplex` that of any two."""
    logits = torch.tensor([[3.0, 1.0, 0.0, -2.0], [50.0, 0.0, -1.0, -3.0]])

    p = probabilities(logits, kind)

    torch.testing.assert_close(p.sum(1), torch.ones(2), atol=1e-5, rtol=0)
    assert (p.diff(dim=1) <= 1e-7).all()
    if kind == "allan":
        # The largest falls to 50 - 9.2 = 40.8, or to the lower median where that is nearer.
        torch.testing.assert_close(p[1], torch.tensor([40.8, 0.0, -1.0, -3.0]).softmax(0))
        torch.testing.assert_close(p[0, 0], p[0, 1])


def test_the_mirrored_camera_flips_the_image(tiny_params: TrainParams):
    """The original's left-handed camera draws what the upright one draws, with left and right exchanged."""
    models = [GenerativeRenderer(tiny_params.model.model_copy(update={"mirrored": m})) for m in (False, True)]
    vertices = models[0].template_vertices[None] * torch.tensor([0.9, 0.6, 0.7]) + torch.tensor([0.2, 0.0, 0.0])
    colors = vertices + 0.5

    upright, mirrored = (Renderer(m.template_faces, m.camera, 32, tiny_params.render)(vertices, colors) for m in models)

    assert (upright - upright.flip(3)).abs().max() > 0.5
    torch.testing.assert_close(mirrored, upright.flip(3), atol=1e-3, rtol=0)


def test_hidden_depth_tells_front_from_back(tiny_params: TrainParams):
    """Vertices on the near side of a sphere are visible, those on the far side lie behind it by its depth."""
    model = GenerativeRenderer(tiny_params.model.model_copy(update={"subdivisions": 6}))
    draw = drawer(model, Renderer.hard(model.template_faces, model.camera, 64))
    vertices = 0.5 * model.template_vertices

    hidden = hidden_depth(vertices[None, None], model.camera, draw, align_corners=False)[0, 0, :, 0]

    front, back = vertices[:, 2] > 0.2, vertices[:, 2] < -0.2
    assert hidden[front].abs().max() < 0.05
    assert hidden[back].min() > 0.3


def test_a_texture_has_no_seam_where_it_is_to_have_none(tiny_params: TrainParams):
    """Turned by whole texels, a seamless generator's map goes on across its borders; the plain one's does not."""
    steps = {}
    for seamless in (False, True):
        torch.manual_seed(0)
        model = GenerativeRenderer(tiny_params.model.model_copy(update={"seamless": seamless}))
        image = model.texture(3 * torch.randn(8, 5), model.template_vertices.expand(8, -1, -1)).image
        inside = (image[..., 1:] - image[..., :-1]).abs().mean()
        steps[seamless] = ((image[..., 0] - image[..., -1]).abs().mean() / inside).item()

    assert steps[True] < 2 < steps[False]


def test_pixels_read_the_texture_for_themselves(tiny_params: TrainParams):
    """Drawn pixel by pixel, a map of stripes finer than the mesh shows stripes; by vertex colours it blurs."""
    model = GenerativeRenderer(tiny_params.model.model_copy(update={"texture_sampling": "pixel"}))
    renderer = Renderer.hard(model.template_faces, model.camera, 128)
    stripes = (torch.arange(32) % 4 < 2).float().expand(1, 3, 32, 32)
    texture = Texture(stripes, sample_texture(stripes, model.template_uv))
    vertices = model.template_vertices[None] * 0.8

    sharp = drawer(model, renderer)(vertices, texture)[0, 0, 64]
    blurred = renderer(vertices, texture.colors)[0, 0, 64]

    # Crossings of grey along the middle row: the map has a stripe's edge every two texels.
    crossings = [int(((row[:-1] > 0) != (row[1:] > 0)).sum()) for row in (sharp[30:98], blurred[30:98])]
    assert crossings[0] >= 5
    assert crossings[1] <= 2


def test_the_seam_of_the_sphere_is_drawn_like_the_rest():
    """Corner coordinates go on across the seam: no face of the template spans the map."""
    template = icosphere(4)

    spans = template.face_uvs[..., 0].amax(1) - template.face_uvs[..., 0].amin(1)

    assert spans.max() < 0.5
    inside = (template.face_uvs - template.uv[template.faces]).abs()[..., 0]
    pole = template.vertices[template.faces][..., 1].abs() > 1 - 1e-6
    # Off the poles a corner's longitude is its vertex's, or a whole turn (2) away.
    torch.testing.assert_close(torch.remainder(inside[~pole] + 1, 2), torch.ones((~pole).sum()), atol=1e-5, rtol=0)
