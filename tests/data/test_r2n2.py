"""The layout and metadata of ShapeNetRendering."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from genren.data import r2n2
from genren.errors import InputError


def test_views_follow_the_protocol() -> None:
    """Azimuth all around, elevation 25 to 30 degrees, distance ratio 0.65 to 0.95, all of the ranges used."""
    views = r2n2.draw_views(2000, np.random.default_rng(0))

    for values, (low, high) in (
        (views.azimuth, (0, 360)),
        (views.elevation, (25, 30)),
        (views.distance_ratio, (0.65, 0.95)),
    ):
        assert low <= values.min() < low + 0.01 * (high - low)
        assert high - 0.01 * (high - low) < values.max() < high


def test_metadata_keep_every_digit(tmp_path: Path) -> None:
    """What is read back is exactly what was rendered from, in five columns as in the archive."""
    views = r2n2.draw_views(24, np.random.default_rng(0))
    r2n2.write_views(tmp_path, views)
    read = r2n2.read_views(tmp_path)

    np.testing.assert_array_equal(read.azimuth, views.azimuth)
    np.testing.assert_array_equal(read.elevation, views.elevation)
    np.testing.assert_array_equal(read.distance_ratio, views.distance_ratio)
    lines = (tmp_path / "rendering_metadata.txt").read_text().splitlines()
    assert [tuple(np.array(line.split())[[2, 4]]) for line in lines] == [("0", "25")] * 24
    assert [f"{index:02d}.png" for index in range(24)] == (tmp_path / "renderings.txt").read_text().split()


def test_a_line_of_the_real_archive_is_read(tmp_path: Path) -> None:
    """Numbers as 3D-R2N2 wrote them, fov column included."""
    (tmp_path / "rendering_metadata.txt").write_text("139.527147539 27.9418865339 0 0.734018201413 25\n")
    views = r2n2.read_views(tmp_path)

    assert (
        views.azimuth[0],
        views.elevation[0],
        views.distance_ratio[0],
    ) == (139.527147539, 27.9418865339, 0.734018201413)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "does not exist"),
        ("", "is empty"),
        ("1 2 0 0.7 25\n1 2 0 0.7\n", "line 2"),
        ("1 2 0 zero 25\n", "line 1"),
        ("1 2 0 nan 25\n", "line 1"),
        ("1 2 30 0.7 25\n", "in-plane rotation 30"),
    ],
)
def test_bad_metadata_name_the_line(tmp_path: Path, text: str | None, words: str) -> None:
    """Missing, malformed and rotated metadata are refused with the place of the fault."""
    if text is not None:
        (tmp_path / "rendering_metadata.txt").write_text(text)

    with pytest.raises(InputError, match=words):
        r2n2.read_views(tmp_path)


def test_models_are_listed_by_name(tmp_path: Path) -> None:
    """The folders of a category are its models, sorted; files beside them are not."""
    for name in ("b", "a"):
        r2n2.rendering_folder(tmp_path, "chair", name).mkdir(parents=True)
    (tmp_path / "ShapeNetRendering" / "03001627" / "readme.txt").write_text("")

    assert r2n2.list_models(tmp_path, "chair") == ["a", "b"]


def test_a_missing_an_empty_and_an_unknown_category_differ(tmp_path: Path) -> None:
    """Each message says what was found and what to do."""
    with pytest.raises(InputError, match=r"does not exist; .* fetch chair first"):
        r2n2.list_models(tmp_path, "chair")
    (tmp_path / "ShapeNetRendering" / "03001627").mkdir(parents=True)
    with pytest.raises(InputError, match="is empty"):
        r2n2.list_models(tmp_path, "chair")
    with pytest.raises(InputError, match="known are airplane, bench"):
        r2n2.list_models(tmp_path, "cabinte")


def test_an_image_survives_with_its_hidden_colours(tmp_path: Path) -> None:
    """RGBA is written and read without loss, also where alpha is zero."""
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9, 4), dtype=np.uint8)
    r2n2.write_image(tmp_path / "a.png", pixels)

    np.testing.assert_array_equal(r2n2.read_image(tmp_path / "a.png", 9), pixels)


def test_a_bad_image_is_one_sentence(tmp_path: Path) -> None:
    """No alpha, palettes, other sizes, truncation and other formats are all refused, by name and with what is there."""
    whole = Image.fromarray(np.zeros((9, 9, 4), dtype=np.uint8))
    whole.save(tmp_path / "whole.png")
    whole.convert("RGB").save(tmp_path / "opaque.png")
    whole.convert("LA").save(tmp_path / "grey.png")
    whole.convert("P").save(tmp_path / "palette.png")
    whole.convert("RGB").save(tmp_path / "photo.png", format="JPEG")
    whole.crop((0, 0, 9, 8)).save(tmp_path / "oblong.png")
    noise = np.random.default_rng(0).integers(0, 256, (99, 99, 4), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "noise.png").read_bytes()[:20000])
    (tmp_path / "empty.png").write_bytes(b"")
    expected = {
        "opaque": "mode RGB,",
        "grey": "mode LA,",
        "palette": "mode P,",
        "photo": "cannot be decoded",
        "oblong": "9x8 pixels",
        "noise": "99x99 pixels; expected an RGBA PNG of 9x9",
        "cut": "cannot be decoded",
        "empty": "cannot be decoded",
        "missing": "does not exist",
    }

    for name, words in expected.items():
        with pytest.raises(InputError, match=words) as caught:
            # What is cut off is found by decoding, which another size would have spared.
            r2n2.read_image(tmp_path / f"{name}.png", None if name == "cut" else 9)
        assert f"{name}.png" in str(caught.value)
        assert "\n" not in str(caught.value)
