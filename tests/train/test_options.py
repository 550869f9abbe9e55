"""Every option of the method: which networks its gradient reaches, and that a whole run with it works."""

from pathlib import Path

import pytest
import torch

from genren.data.batches import Batches
from genren.data.store import Store
from genren.params import TrainParams
from genren.train import programs
from genren.train.critics import critic_losses
from genren.train.loop import prepare
from genren.train.schedule import Stage
from tests.train.test_programs import INFERENCE, reached

READ = INFERENCE | {"deformation", "texture_inference"}
FULL = Stage("mode3", 1.0, 1.0)


class Scene:
    """A tiny run at step 0 with some settings replaced."""

    def __init__(self, base: TrainParams, store: Path, **over: dict[str, object]) -> None:
        sections = {name: getattr(base, name).model_copy(update=values) for name, values in over.items()}
        self.params = base.model_copy(update=sections)
        self.batches = Batches(Store.open(store), "train", self.params.batch_size)
        self.w, self.state = prepare(self.params, self.batches.color_pool())

    def program(self, name: str) -> tuple[programs.Cycle, programs.Terms]:
        """One of the three programs on a fresh batch."""
        if name == "vision":
            return programs.vision(self.w, self.batches.draw_images())
        clouds = self.batches.draw_clouds(self.params.points)
        if name == "randomised":
            return programs.randomised(self.w, clouds)
        return programs.graphics(self.w, clouds, self.state.buffer)

    def reached(self, program: str, term: str) -> set[str]:
        """Networks that a term's gradient reaches."""
        _, terms = self.program(program)
        return reached(self.w, terms[term])

    def critic_losses(self) -> dict[str, torch.Tensor]:
        """What the critics minimise in mode 3."""
        images = self.batches.draw_images()
        graphics, (vision, _) = self.program("graphics")[0], programs.vision(self.w, images)
        return critic_losses(self.w, FULL, images, graphics, vision)


@pytest.fixture
def scene(tiny_params: TrainParams, tiny_store: Path):
    """Makes scenes."""
    return lambda **over: Scene(tiny_params, tiny_store, **over)


@pytest.mark.parametrize("sampling", ["vertex", "pixel"])
def test_both_ways_of_texturing_train_pose_shape_and_texture(scene, sampling: str):
    """By vertex colours or pixel by pixel, the re-render's error reaches all of inference, decoder and generator."""
    assert scene(model={"texture_sampling": sampling}).reached("vision", "image_l1") == READ | {"texture_generator"}


def test_trained_conditioning_learns_from_the_image_and_the_shape_does_not_through_it(scene):
    """K_M has a gradient when it is to be trained; the mesh it sees stays cut off."""
    assert scene(model={"train_conditioning": True}).reached("graphics", "image_adversarial") == {
        "texture_generator", "mesh_conditioning",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("over", "networks"),
    [
        ({"pixels_gradient": False}, {"backbone", "texture_inference"}),
        ({"posed_gradient": False}, {"backbone", "texture_inference"}),
        ({}, READ),
        ({"occlusion": True}, READ),
        ({"occlusion": True, "occlusion_gradient": True}, READ),
    ],
)
def test_unprojection_lets_through_what_it_is_told_to(scene, over: dict[str, bool], networks: set[str]):
    """Texture inference reaches pose and shape through the sampling positions, unless these or the pixels are cut."""
    s = scene(model=over)
    inferred = s.w.model.infer(s.batches.draw_images(), s.w.draw)

    assert reached(s.w, lambda: inferred.xi_t.square().sum()) == networks


def test_occlusion_carries_a_gradient_only_where_it_is_to(scene):
    """With the pixels cut, the hidden depth alone still leads to the shape if its gradient is wanted."""
    for wanted in (False, True):
        s = scene(model={"occlusion": True, "occlusion_gradient": wanted, "pixels_gradient": False})
        inferred = s.w.model.infer(s.batches.draw_images(), s.w.draw)

        assert ("deformation" in reached(s.w, lambda i=inferred: i.xi_t.square().sum())) == wanted


def test_occlusion_without_a_renderer_is_an_error(scene):
    """Inference that needs depth says so."""
    s = scene(model={"occlusion": True})

    with pytest.raises(ValueError, match="needs a function that draws"):
        s.w.model.infer(s.batches.draw_images())


def test_a_variational_v_is_pulled_to_its_prior_by_its_divergence(scene):
    """The KL term is the Gaussians' closed form, summed, and trains the encoder alone."""
    s = scene(model={"vae": True})
    cycle, terms = s.program("randomised")
    assert cycle.shape is not None
    assert cycle.shape.posterior is not None
    mean, log_variance = cycle.shape.posterior
    normal = torch.distributions.Normal(0, 1)

    expected = torch.distributions.kl_divergence(torch.distributions.Normal(mean, (log_variance / 2).exp()), normal)

    torch.testing.assert_close(terms["v_prior"](), expected.sum())
    assert reached(s.w, terms["v_prior"]) == {"shape_encoder"}


def test_a_learned_template_moves_and_a_fixed_one_does_not(scene):
    """The shape's error reaches the template's vertices where they are parameters."""
    s = scene(model={"learn_template": True})
    s.program("randomised")[1]["chamfer"]().backward()

    assert s.w.model.template_vertices.grad.abs().max() > 0
    assert not isinstance(scene().w.model.template_vertices, torch.nn.Parameter)


@pytest.mark.parametrize("rotation", ["3a", "6d", "quaternion"])
@pytest.mark.parametrize("probabilities", ["softmax", "simplex", "allan"])
def test_rotations_and_probabilities_are_learned_in_every_form(scene, rotation: str, probabilities: str):
    """Each rotation code and probability method passes the gradient of the rotation's error to the pose heads."""
    s = scene(model={"rotation": rotation, "probabilities": probabilities})

    assert "pose_heads" in s.reached("randomised", "rotation_cycle")
    assert s.reached("graphics", "pose_match") == {"pose_generator"}


@pytest.mark.parametrize("normalization", ["norm", "spectral", "spectral+norm"])
def test_the_pose_generator_learns_with_every_normalisation(scene, normalization: str):
    """Batch or layer norm, spectral norm, or both."""
    assert scene(model={"pose_generator_norm": normalization}).reached("graphics", "pose_match") == {"pose_generator"}


@pytest.mark.parametrize("pose", ["marginal", "joint", "wgan"])
def test_poses_are_matched_by_transport_or_by_a_critic(scene, pose: str):
    """Whatever compares the poses trains the pose generator and nothing else."""
    s = scene(critics={"pose": pose})

    assert s.reached("graphics", "pose_match") == {"pose_generator"}
    assert ("pose" in s.critic_losses()) == (pose == "wgan")


@pytest.mark.parametrize("kind", ["residual", "mini", "multiscale", "spectral", "patch"])
def test_every_image_critic_trains_the_texture_generator(scene, kind: str):
    """The adversarial term reaches the texture generator alone, and the critic's own loss the critic."""
    s = scene(critics={"image": kind}, model={"img_size": 32})

    assert s.reached("graphics", "image_adversarial") == {"texture_generator"}
    s.critic_losses()["image"].backward()
    assert all(p.grad is not None for p in s.w.critics.image.parameters() if p.requires_grad)


@pytest.mark.parametrize(("texture", "critics"), [("image", 1), ("histogram", 1), ("image+histogram", 2)])
@pytest.mark.parametrize("histogram", ["rgb", "uv"])
def test_textures_are_judged_by_image_and_by_histogram(scene, texture: str, critics: int, histogram: str):
    """Colour histograms pass a gradient to the texture generator as images do."""
    s = scene(critics={"texture": texture, "histogram": histogram})

    assert s.reached("graphics", "texture_realism") == {"texture_generator"}
    assert len({"texture", "histogram"} & s.critic_losses().keys()) == critics


@pytest.mark.parametrize("kind", ["swd", "wgan"])
@pytest.mark.parametrize("on", ["best", "all"])
def test_the_texture_prior_is_a_distance_or_a_critic(scene, kind: str, on: str):
    """Both priors of xi_T, on the best hypothesis or on all, train texture inference."""
    s = scene(critics={"xi_t": kind, "xi_t_on": on})

    assert s.reached("vision", "xi_t_prior") == READ
    assert ("xi_t" in s.critic_losses()) == (kind == "wgan")


@pytest.mark.parametrize(
    ("shape", "networks"),
    [("joint", {"backbone", "shape_head", "deformation"}), ("latent", {"backbone", "shape_head"})],
)
def test_the_shape_critic_sees_the_mesh_or_v_alone(scene, shape: str, networks: set[str]):
    """On v alone no gradient reaches the decoder."""
    assert scene(critics={"shape": shape}).reached("vision", "shape_adversarial") == networks


def test_in_mode_1_the_original_pairs_inferred_v_with_the_encoded_mesh(scene, monkeypatch: pytest.MonkeyPatch):
    """`mixed_pairs` changes what the shape critic takes for real in mode 1, and nothing in mode 3."""
    s = scene(critics={"mixed_pairs": True})
    images, (cycle, _) = s.batches.draw_images(), s.program("randomised")
    vision, _ = programs.vision(s.w, images)
    seen: list[torch.Tensor] = []
    monkeypatch.setattr(
        s.w.critics.shape, "join", lambda v, m: (seen.append(m), torch.cat([v, v[:, :2].repeat(1, 4)], 1))[1]
    )

    critic_losses(s.w, Stage("mode1", 1.0, 0.0), images, cycle, vision)

    assert torch.equal(seen[0], cycle.shape.vertices)


def test_perceptual_terms_on_images_train_pose_shape_and_texture(scene):
    """MS-SSIM and VGG, like the critic's features, reach everything that draws the re-render."""
    from genren.models.vgg import VGG16

    s = scene()
    s.w.vgg = VGG16()
    for term in ("image_ms_ssim", "image_vgg", "image_perceptual"):
        assert s.reached("vision", term) == READ | {"texture_generator"}
    assert all(p.grad is None for p in s.w.vgg.parameters())


@pytest.mark.parametrize(
    ("term", "networks"),
    [
        ("new_view_v", INFERENCE - {"pose_heads"} | READ | {"texture_generator"}),
        ("new_view_xi_t", READ | {"texture_generator"}),
        ("new_view_texture", READ | {"texture_generator"}),
    ],
)
def test_a_new_view_must_be_read_like_the_old_one(scene, term: str, networks: set[str]):
    """Inference from a re-render at a new pose is compared with the first; the mesh in between is cut off."""
    assert scene().reached("vision", term) == networks


@pytest.mark.parametrize("term", ["pairs_v", "pairs_xi_t", "pairs_texture", "pairs_rerender"])
def test_pairs_show_one_textured_shape_from_two_sides(scene, term: str):
    """Asked for, the batch holds every shape twice with one texture and two poses, and the halves are compared."""
    base = scene().params.weights
    s = scene(weights={"graphics": base.graphics | {term: 1.0}})
    cycle, terms = s.program("graphics")
    assert cycle.shape is not None
    assert cycle.texture is not None
    assert cycle.pose is not None
    half = len(cycle.render) // 2

    assert torch.equal(cycle.shape.v[:half], cycle.shape.v[half:])
    torch.testing.assert_close(cycle.texture.image[:half], cycle.texture.image[half:])
    assert not torch.equal(cycle.pose.rotation[:half], cycle.pose.rotation[half:])
    networks = reached(s.w, terms[term])
    assert "texture_generator" in networks
    assert "texture_inference" in networks or term == "pairs_v"


def test_identical_halves_cost_nothing(scene):
    """Two equal images are read alike: the consistency terms are zero."""
    s = scene()
    inferred = s.w.model.eval().infer(s.batches.draw_images()[:2].repeat(2, 1, 1, 1), s.w.draw)
    terms = programs.same_texture(s.w, "pairs", lambda: programs.halves(inferred))

    assert max(term().item() for term in terms.values()) < 1e-6


@pytest.mark.parametrize("program", ["randomised", "graphics"])
def test_inferred_shapes_can_be_held_against_the_cloud(scene, program: str):
    """Chamfer and normals of the inferred shape train inference and decoder."""
    for term in ("chamfer_cycle", "normals_cycle"):
        networks = scene().reached(program, term)
        assert {"backbone", "shape_head", "deformation"} <= networks


def test_pose_confusion_acts_on_the_decoded_texture(scene):
    """In the graphics cycle it reaches the texture's path and not the rotation it compares with."""
    networks = scene().reached("graphics", "pose_confusion")

    assert {"texture_generator", "texture_inference", "backbone"} <= networks


def test_colour_terms_act_on_the_generated_texture(scene):
    """Entropy of the histogram and spread of the colours train the texture generator alone."""
    for term in ("color_entropy", "color_spread"):
        assert scene().reached("graphics", term) == {"texture_generator"}
