"""Pretrained networks: a file is opened only after its whole digest was right, and only if it is the network's."""

import hashlib
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from genren.errors import InputError
from genren.metrics.dinov2 import DinoV2Extractor, VisionTransformer
from genren.metrics.inception import InceptionExtractor
from genren.metrics.lpips import GROUPS, Lpips
from genren.metrics.weights import checked, load_state

IMAGES = torch.randint(0, 256, (3, 3, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def written(path: Path, state: object) -> tuple[str, str]:
    """A file of weights: its path and digest."""
    torch.save(state, path)
    return str(path), hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture
def small(tmp_path: Path) -> tuple[str, str]:
    """A DINOv2 of two blocks with random weights, trained, as it were, on 4 x 4 patches."""
    network = VisionTransformer(64, 2, 17)
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.3)
    return written(tmp_path / "dino.pth", network.state_dict())


def test_a_wrong_digest_is_refused_before_the_file_is_opened(tmp_path: Path) -> None:
    """Garbage under a wrong digest is reported by digest: nobody tried to read it."""
    (tmp_path / "weights.pth").write_bytes(b"no weights at all")
    digits = "0" * 64

    with pytest.raises(InputError, match=rf"have sha256 [0-9a-f]{{64}}, expected {digits}; not loaded"):
        DinoV2Extractor(str(tmp_path / "weights.pth"), digits)
    with pytest.raises(InputError, match="64 hex digits"):
        checked("x", str(tmp_path / "weights.pth"), "6726825d")
    with pytest.raises(InputError, match="expected a file or a URL"):
        checked("x", str(tmp_path / "absent.pth"), digits)


def test_a_url_is_fetched_once_and_only_what_fits_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The right content lands in the work folder and is not fetched again; the wrong one leaves nothing behind."""
    monkeypatch.setenv("GENREN_ROOT", str(tmp_path / "project"))
    path, digits = written(tmp_path / "w.pth", {"a": torch.ones(2)})
    url = Path(path).as_uri()

    with pytest.raises(InputError, match=r"expected 0{64}; not kept"):
        checked("net", url, "0" * 64)
    assert list((tmp_path / "project" / "work" / "weights").iterdir()) == []
    first = checked("net", url, digits)
    Path(path).unlink()

    assert checked("net", url, digits) == first
    assert load_state(first)["a"].tolist() == [1, 1]
    with pytest.raises(InputError, match="cannot be fetched"):
        checked("other", url, "1" * 64)


def test_a_pickle_of_something_else_is_refused(tmp_path: Path) -> None:
    """Right digest, wrong kind: only tensors by name are unpickled."""
    path, digits = written(tmp_path / "w.pth", [1, 2])

    with pytest.raises(InputError, match="holds list, expected tensors by name"):
        load_state(checked("x", path, digits))
    path, digits = written(tmp_path / "w.pth", nn.Linear(1, 1))
    with pytest.raises(InputError, match="cannot be read as weights"):
        load_state(checked("x", path, digits))


def test_dinov2_keeps_the_protocol(small: tuple[str, str], tmp_path: Path) -> None:
    """One feature an image whatever its batch, named by width, with its digest; another network's file is refused."""
    extractor = DinoV2Extractor(*small)
    features = extractor(IMAGES)

    assert (extractor.name, extractor.sha256, extractor.distances) == ("dinov2vit6414", small[1], ("fd", "kd"))
    assert features.shape == (3, 64)
    assert torch.allclose(features[1:2], extractor(IMAGES[1:2]), atol=1e-5)
    assert (features[0] - features[1]).abs().max() > 1e-3
    with pytest.raises(InputError, match="holds no DINOv2"):
        DinoV2Extractor(*written(tmp_path / "other.pth", {"pos_embed": torch.ones(1, 17, 64)}))
    with pytest.raises(InputError, match="images must be uint8"):
        extractor(IMAGES.float())


def inception_or_skip() -> type:
    """torch-fidelity's network where it can be imported."""
    try:
        from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3
    except (ImportError, RuntimeError) as error:
        pytest.skip(f"needs genren[fid] ({error})")
    return FeatureExtractorInceptionV3


def test_inception_keeps_the_protocol(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real network with random weights: 2,048 features, called fid and kid, and refused with another digest."""
    kind = inception_or_skip()
    # Built without its file, which is then written.
    monkeypatch.setattr(f"{kind.__module__}.load_state_dict_from_url", lambda *_, **__: {})
    with monkeypatch.context() as patch:
        patch.setattr(kind, "load_state_dict", lambda *_, **__: None)
        network = kind("inception-v3-compat", ["2048"])
    path, digits = written(tmp_path / "inception.pth", network.state_dict())
    extractor = InceptionExtractor(path, digits)

    assert extractor(IMAGES[:2]).shape == (2, 2048)
    assert (extractor.distances, extractor.sha256) == (("fid", "kid"), digits)
    with pytest.raises(InputError, match=r"expected 6726825d0af5"):
        InceptionExtractor(path)
    with pytest.raises(InputError, match="do not fit Inception"):
        InceptionExtractor(*written(tmp_path / "other.pth", {"a": torch.ones(1)}))


def test_inception_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra the error is one sentence with the command."""
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity", None)
    monkeypatch.setitem(__import__("sys").modules, "torch_fidelity.feature_extractor_inceptionv3", None)

    with pytest.raises(InputError, match=r"pip install 'genren\[fid\]'"):
        InceptionExtractor("weights.pth")


def test_lpips_is_a_distance_of_what_its_files_hold(tmp_path: Path) -> None:
    """0 for equal images, symmetric, larger for more noise; with one layer's weight doubled, more of that layer."""
    features: dict[str, Tensor] = {}
    index, inputs = 0, 3
    for number, widths in enumerate(GROUPS):
        index += 1 if number else 0
        for width in widths:
            features[f"features.{index}.weight"] = torch.randn(width, inputs, 3, 3) * (2 / (9 * inputs)) ** 0.5
            features[f"features.{index}.bias"] = torch.zeros(width)
            index, inputs = index + 2, width
    linear = {f"lin{n}.model.1.weight": torch.full((1, widths[-1], 1, 1), 0.01) for n, widths in enumerate(GROUPS)}
    files = written(tmp_path / "vgg.pth", features), written(tmp_path / "lin.pth", linear)
    lpips = Lpips(*files)
    image = torch.rand(2, 4, 32, 32)
    little, much = image + 0.02 * torch.randn_like(image), image + 0.2 * torch.randn_like(image)

    assert lpips(image, image).abs().max() == 0
    assert torch.allclose(lpips(image, much), lpips(much, image), rtol=1e-4)
    assert bool((lpips(much, image) > lpips(little, image)).all())
    doubled = linear | {"lin0.model.1.weight": 2 * linear["lin0.model.1.weight"]}
    heavier = Lpips(files[0], written(tmp_path / "lin2.pth", doubled))
    assert bool((heavier(much, image) > lpips(much, image)).all())
    with pytest.raises(InputError, match="not those of VGG16"):
        Lpips(files[1], files[1])
