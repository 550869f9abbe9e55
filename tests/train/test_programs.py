"""Which loss reaches which network (method: 1.4 and section 10, gradient-routing tests)."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from genren.data.batches import Batches
from genren.data.store import Store
from genren.params import TrainParams
from genren.train import programs
from genren.train.critics import critic_losses, remember
from genren.train.loop import prepare
from genren.train.randomise import random_colors, random_pose
from genren.train.schedule import Stage

NETWORKS = (
    "shape_encoder", "deformation", "backbone", "shape_head", "pose_heads", "texture_inference", "mesh_conditioning",
    "texture_generator", "pose_generator",
)  # fmt: skip
INFERENCE = {"backbone", "shape_head", "pose_heads"}


@pytest.fixture
def scene(tiny_params: TrainParams, tiny_store: Path):
    """Worker, state and batches at step 0."""
    batches = Batches(Store.open(tiny_store), "train", tiny_params.batch_size)
    w, state = prepare(tiny_params, batches.color_pool())
    return w, state, batches


def reached(w: programs.Worker, term: Callable[[], torch.Tensor]) -> set[str]:
    """Names of the networks in which the term leaves a gradient that is not zero."""
    w.model.zero_grad(set_to_none=True)
    term().backward()
    return {
        name
        for name in NETWORKS
        if any(p.grad is not None and p.grad.abs().max() > 0 for p in getattr(w.model, name).parameters())
    }


def test_image_adversarial_loss_trains_the_texture_generator_alone(scene):
    """(i) Neither pose nor shape learns from the graphics-cycle render."""
    w, state, batches = scene
    _, terms = programs.graphics(w, batches.draw_clouds(32), state.buffer)

    assert reached(w, terms["image_adversarial"]) == {"texture_generator"}


def test_pose_match_trains_the_pose_generator_alone(scene):
    """(ii) The pose distribution is all the pose generator learns from."""
    w, state, batches = scene
    _, terms = programs.graphics(w, batches.draw_clouds(32), state.buffer)

    assert reached(w, terms["pose_match"]) == {"pose_generator"}


def test_vertex_consistency_reaches_the_encoder_through_the_random_render_only(scene):
    """(iii) The domain-randomised render carries gradient into the shape, the graphics one does not."""
    w, state, batches = scene
    clouds = batches.draw_clouds(32)

    _, graphics = programs.graphics(w, clouds, state.buffer)
    assert "shape_encoder" not in reached(w, graphics["vertices_cycle"])
    _, randomised = programs.randomised(w, clouds)
    assert "shape_encoder" in reached(w, randomised["vertices_cycle"])


def test_texture_inference_does_not_train_the_shape_through_its_input(scene):
    """(iv) xi_T reaches pose and shape through the sampling positions, though v itself is cut."""
    w, _, batches = scene
    images = batches.draw_images()
    inferred = w.model.infer(images)

    assert reached(w, lambda: inferred.xi_t.square().sum()) == INFERENCE | {"texture_inference", "deformation"}
    q, v = torch.rand(2, 16), torch.rand(2, 6, requires_grad=True)
    w.model.texture_inference(q, v, torch.rand(2, 2, 42, 4)).sum().backward()
    assert v.grad is not None


def test_mesh_conditioning_is_never_trained(scene):
    """(v) No program leaves a gradient in the conditioning net."""
    w, state, batches = scene
    clouds, images = batches.draw_clouds(32), batches.draw_images()
    for terms in (
        programs.graphics(w, clouds, state.buffer)[1],
        programs.randomised(w, clouds)[1],
        programs.vision(w, images)[1],
    ):
        assert "mesh_conditioning" not in reached(
            w, lambda terms=terms: sum(term() for name, term in terms.items() if name != "image_vgg")
        )


def test_critic_losses_leave_the_model_alone(scene):
    """(vi) After the critics' backward no generator parameter has a gradient, and every critic has one."""
    w, state, batches = scene
    images = batches.draw_images()
    graphics, _ = programs.graphics(w, batches.draw_clouds(32), state.buffer)
    vision, _ = programs.vision(w, images)

    losses = critic_losses(w, Stage("mode3", 1.0, 1.0), images, graphics, vision)
    torch.stack(list(losses.values())).sum().backward()

    assert losses.keys() == {"image", "texture", "shape", "rotation"}
    assert all(p.grad is None for p in w.model.parameters())
    for critic in w.critics.children():
        assert any(p.grad is not None and p.grad.abs().max() > 0 for p in critic.parameters())


def test_vision_losses_reach_pose_shape_and_texture(scene):
    """The re-render's error trains all of image inference, the decoder and the texture generator."""
    w, _, batches = scene
    _, terms = programs.vision(w, batches.draw_images())

    assert reached(w, terms["image_l1"]) == INFERENCE | {"texture_inference", "deformation", "texture_generator"}


def test_random_poses_stay_in_their_ranges(tiny_params: TrainParams):
    """Translations fill the box of the settings; rotations are rotations."""
    pose = random_pose(500, tiny_params.randomised)
    low, high = (
        torch.tensor(tiny_params.randomised.translation_min),
        torch.tensor(tiny_params.randomised.translation_max),
    )

    assert (pose.translation[:, 0] >= low).all()
    assert (pose.translation[:, 0] <= high).all()
    torch.testing.assert_close(pose.translation[:, 0].mean(0), (low + high) / 2, atol=0.06, rtol=0)
    torch.testing.assert_close(torch.linalg.det(pose.rotation[:, 0]), torch.ones(500))


def test_random_textures_have_two_colours_of_the_pool(scene):
    """Each mesh shows at most two colours of the images, a plane apart, with little noise."""
    w, _, _ = scene
    pool = torch.tensor([[0.2, 0.2, 0.2], [0.8, 0.8, 0.8]] * 10)

    colors = random_colors(w.model.template_vertices, pool, 6)

    distance = (colors[:, :, None] - pool[None, None]).abs().amin(2)
    assert distance.max() < 0.06
    assert ((colors - colors[:, :1]).abs() > 0.3).any()


def test_the_buffer_takes_the_poses_of_real_images(scene):
    """Remembering overwrites as many slots as there are images, in rotations and translations alike."""
    w, state, batches = scene
    vision, _ = programs.vision(w, batches.draw_images())
    before = state.buffer.translation.clone()

    remember(state.buffer, vision)

    assert (state.buffer.translation != before).any(-1).sum() == 4
    assert (state.buffer.rotation[:, 0] != torch.eye(3)).flatten(1).any(1).sum() == 4
