"""The critics: sizes, features, and the variants their settings name."""

import pytest
import torch

from genren.models.critics import Critics
from genren.models.histogram import color_histogram, entropy
from genren.params import TrainParams
from tests.conftest import preset


def test_the_originals_critics_have_the_specified_parameters():
    """Preset `original` has the published parameter counts (method: 1.6)."""
    p = preset("original")
    critics = Critics(p.critics, p.model, 1002)

    counts = {name: sum(q.numel() for q in critic.parameters()) for name, critic in critics.items()}

    assert counts == {"image": 10_142_081, "texture": 10_141_441, "shape": 1_871_489, "rotation": 269_332}


def test_features_are_those_the_next_block_sees(tiny_params: TrainParams):
    """All levels but the last are rectified, sizes halve, channels double (method: 1.6)."""
    critics = Critics(tiny_params.critics, tiny_params.model, 42)

    features = critics.image.features(torch.randn(2, 4, 32, 32))

    assert [f.shape[2] for f in features] == [16, 8, 4, 2]
    assert all((f >= 0).all() for f in features[:-1])
    assert (features[-1] < 0).any()
    assert critics.image(torch.randn(2, 4, 32, 32)).shape == (2,)


@pytest.mark.parametrize(
    ("kind", "objective", "per_patch"),
    [
        ("residual", "wasserstein", False), ("mini", "wasserstein", False), ("spectral", "least_squares", False),
        ("patch", "least_squares", True), ("multiscale", "least_squares", True),
    ],
)  # fmt: skip
def test_every_image_critic_scores_and_has_features(
    kind: str, objective: str, per_patch: bool, tiny_params: TrainParams
):
    """Each variant plays its game: one score an image, or one a patch."""
    params = tiny_params.critics.model_copy(update={"image": kind})
    image_size = tiny_params.model.model_copy(update={"img_size": 64 if kind == "multiscale" else 32})
    critic = Critics(params, image_size, 42).image
    images = torch.randn(3, 4, image_size.img_size, image_size.img_size)

    assert critic.objective == objective
    assert critic(images).shape[0] == 3
    assert critic(images).dim() == 1 + per_patch
    assert len(critic.features(images)) >= 3


def test_spectral_norm_bounds_the_slope(tiny_params: TrainParams):
    """Weights a hundred times as large leave a critic with spectral norm where it was."""
    critic = Critics(tiny_params.critics.model_copy(update={"image": "patch"}), tiny_params.model, 42).image.eval()
    images = torch.randn(2, 4, 32, 32)
    before = critic.layers[0][0](images) - critic.layers[0][0].bias[:, None, None]

    with torch.no_grad():
        critic.layers[0][0].parametrizations.weight.original.mul_(100)

    after = critic.layers[0][0](images) - critic.layers[0][0].bias[:, None, None]
    torch.testing.assert_close(after, before, rtol=1e-3, atol=1e-4)


def test_the_shape_penalty_can_act_on_the_mesh_itself(tiny_params: TrainParams):
    """On the input, the scored vector holds v and all vertices; the answer is the same function of the mesh."""
    v, mesh = torch.randn(3, 6), torch.randn(3, 42, 3)
    answers = []
    for penalty, length in (("code", 6 + 8), ("input", 6 + 3 * 42)):
        torch.manual_seed(0)
        critic = Critics(tiny_params.critics.model_copy(update={"shape_penalty": penalty}), tiny_params.model, 42).shape
        assert critic.join(v, mesh).shape == (3, length)
        answers.append(critic(critic.join(v, mesh)))

    torch.testing.assert_close(*answers)


def test_a_latent_shape_critic_ignores_the_mesh(tiny_params: TrainParams):
    """With `latent` only v is seen."""
    critic = Critics(tiny_params.critics.model_copy(update={"shape": "latent"}), tiny_params.model, 42).shape

    assert critic.join(torch.randn(3, 6), torch.randn(3, 42, 3)).shape == (3, 6)


@pytest.mark.parametrize(("kind", "bins"), [("rgb", 1000), ("uv", 625)])
def test_a_histogram_is_a_density_that_sees_colours(kind: str, bins: int):
    """It sums to 1, a flat texture is one peak, a colourful one is spread, and position does not count."""
    flat = torch.full((1, 3, 8, 8), 0.45)
    colorful = torch.rand(1, 3, 8, 8)

    h = color_histogram(torch.cat([flat, colorful, colorful.flip(3)]), kind)

    assert h.shape == (3, bins)
    torch.testing.assert_close(h.sum(1), torch.ones(3))
    assert entropy(h)[0] < 0.5
    assert entropy(h)[1] > 3
    torch.testing.assert_close(h[1], h[2])


def test_a_histogram_peaks_in_the_bin_of_its_colour():
    """Red is in the bin of high R, low G, low B: the axes are in order."""
    red = torch.tensor([0.95, 0.05, 0.15])[None, :, None, None].expand(1, 3, 4, 4)

    assert color_histogram(red, "rgb").argmax().item() == 9 * 100 + 0 * 10 + 1


def test_only_the_critics_that_are_asked_for_exist(tiny_params: TrainParams):
    """Textures' histograms, latents and poses have critics where settings say so."""
    params = tiny_params.critics.model_copy(update={"texture": "image+histogram", "xi_t": "wgan", "pose": "wgan"})

    assert set(Critics(tiny_params.critics, tiny_params.model, 42)) == {"image", "texture", "shape", "rotation"}
    assert set(Critics(params, tiny_params.model, 42)) == {
        "image", "texture", "histogram", "shape", "xi_t", "pose", "rotation",
    }  # fmt: skip
