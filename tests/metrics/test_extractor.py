"""Random convolution features: the same everywhere, and distances over them that mean what they should."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics import extractor as extractor_module
from genren.metrics.extractor import FeatureExtractor, RandomConvExtractor
from genren.metrics.features import metric_key
from genren.metrics.frechet import frechet_distance, gaussian
from genren.metrics.kid import kernel_distance
from tests.metrics.pictures import blurred, renders

COUNT = 200


@pytest.fixture(scope="module")
def extractor() -> FeatureExtractor:
    """The extractor of the benchmark, seen through its interface."""
    return RandomConvExtractor()


@pytest.fixture(scope="module")
def real(extractor: FeatureExtractor) -> Tensor:
    """Features of the real side."""
    return extractor(renders(COUNT, seed=1))


def scores(extractor: FeatureExtractor, real: Tensor, images: Tensor) -> tuple[float, float]:
    """Fréchet and kernel distance of images to the real side."""
    fake = extractor(images)
    return frechet_distance(gaussian(real), gaussian(fake)), kernel_distance(real, fake).value


def test_key_names_everything_the_number_depends_on(extractor: FeatureExtractor) -> None:
    """Width, seed and count are in the key, and nothing here is called FID."""
    assert metric_key("fd", extractor.name, 768) == "fd_randconv448_seed0_n768"
    assert metric_key("kd", RandomConvExtractor(seed=3).name, 9) == "kd_randconv448_seed3_n9"


def test_the_width_is_the_one_in_the_name(real: Tensor) -> None:
    """448 float32 features an image, all finite, none dead over the whole set."""
    assert real.shape == (COUNT, 448)
    assert real.dtype == torch.float32
    assert real.isfinite().all()
    assert (real.std(dim=0) > 0).float().mean() > 0.95


def test_the_same_whatever_the_global_random_state(real: Tensor) -> None:
    """The seed in the name alone decides; neither torch's state nor the number of images matters."""
    torch.manual_seed(1234)
    again = RandomConvExtractor(seed=0)(renders(COUNT, seed=1)[:7])

    assert torch.allclose(again, real[:7], rtol=1e-5, atol=1e-7)
    assert not torch.allclose(RandomConvExtractor(seed=1)(renders(COUNT, seed=1)[:7]), real[:7], rtol=0.1)


def test_leaves_the_global_random_state_alone() -> None:
    """Building an extractor inside a training run does not change the run."""
    before = torch.get_rng_state()
    RandomConvExtractor()

    assert torch.equal(before, torch.get_rng_state())


def test_weights_are_pinned() -> None:
    """A change of the random stream would silently make old numbers incomparable under the same name."""
    first = RandomConvExtractor().weights[0]

    assert first.shape == (32, 3, 3, 3)
    assert first.flatten()[:3].tolist() == pytest.approx([0.0342194, -0.0359544, 0.1743010], abs=1e-6)
    assert float(first.std()) == pytest.approx((2 / 27) ** 0.5, rel=0.1)


def test_batches_do_not_change_the_features(monkeypatch: pytest.MonkeyPatch, real: Tensor) -> None:
    """Sets larger than a batch go through in order, the last batch being smaller."""
    monkeypatch.setattr(extractor_module, "BATCH", 64)

    assert torch.allclose(RandomConvExtractor()(renders(COUNT, seed=1)), real, rtol=1e-5, atol=1e-7)


def test_another_sample_of_the_same_renders_is_the_floor(extractor: FeatureExtractor, real: Tensor) -> None:
    """The kernel distance of two real sets is 0 within three errors; the Fréchet distance small but above 0."""
    fake = extractor(renders(COUNT, seed=2))
    kernel = kernel_distance(real, fake)

    assert abs(kernel.value) < 3 * kernel.standard_error
    assert 0 < frechet_distance(gaussian(real), gaussian(fake)) < 0.1


@pytest.mark.parametrize(
    "damaged",
    [
        lambda amount: (renders(COUNT, seed=2) * (1, 0.85, 0.7, 0.5)[amount]).byte(),
        lambda amount: blurred(renders(COUNT, seed=2), (1, 3, 5, 9)[amount]),
        lambda amount: renders(COUNT, seed=2, hues=(8, 4, 2, 1)[amount]),
    ],
    ids=["darker", "blurred", "mode-dropped"],
)
def test_worse_renders_score_worse(damaged: Callable[[int], Tensor], extractor: FeatureExtractor, real: Tensor) -> None:
    """Both distances grow with the damage, step by step, from the undamaged set on."""
    frechet, kernel = zip(*(scores(extractor, real, damaged(amount)) for amount in range(4)), strict=True)

    assert list(frechet) == sorted(frechet)
    assert list(kernel) == sorted(kernel)
    assert frechet[-1] > 3 * frechet[0]


@pytest.mark.parametrize(
    "images",
    [
        torch.rand(2, 3, 8, 8),
        torch.zeros(2, 4, 8, 8).byte(),
        torch.zeros(3, 8, 8).byte(),
        torch.zeros(0, 3, 8, 8).byte(),
    ],
    ids=["float", "RGBA", "single", "none"],
)
def test_other_images_are_refused(images: Tensor, extractor: FeatureExtractor) -> None:
    """Floats of another range, an alpha channel and an empty set would all give a number that means nothing."""
    with pytest.raises(InputError, match="must be uint8"):
        extractor(images)
