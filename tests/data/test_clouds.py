"""Oriented point clouds."""

from pathlib import Path

import numpy as np
import pytest

from genren.data.clouds import canonical_cloud, read_cloud, write_cloud
from genren.errors import InputError


def raw_cloud(count: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """A box of 4 x 2 x 1 around (1, 2, 3) with normals of length 3."""
    rng = np.random.default_rng(0)
    points = (rng.random((count, 3)) - 0.5) * [4, 2, 1] + [1, 2, 3]
    points[:2] = [[-1, 1, 2.5], [3, 3, 3.5]]
    normals = rng.normal(size=(count, 3))
    return points, 3 * normals / np.linalg.norm(normals, axis=1, keepdims=True)


def test_the_frame_is_canonical_and_known() -> None:
    """The box is centred, its longest side 1, normals have unit length, and center and scale lead there."""
    points, normals = raw_cloud()
    cloud = canonical_cloud(points, normals, 500, np.random.default_rng(0))

    np.testing.assert_allclose(cloud.center, [1, 2, 3])
    assert cloud.scale == pytest.approx(0.25)
    np.testing.assert_allclose(np.sort(cloud.points, 0), np.sort((points - cloud.center) * cloud.scale, 0), atol=1e-6)
    np.testing.assert_allclose([cloud.points.min(0), cloud.points.max(0)], np.outer([-1, 1], [0.5, 0.25, 0.125]))
    np.testing.assert_allclose(np.linalg.norm(cloud.normals, axis=1), 1, atol=1e-6)


def test_normals_stay_with_their_points() -> None:
    """Drawing points draws their normals with them."""
    points, _ = raw_cloud()
    direction = points / np.linalg.norm(points, axis=1, keepdims=True)
    cloud = canonical_cloud(points, direction, 100, np.random.default_rng(0))
    back = cloud.points / cloud.scale + cloud.center

    np.testing.assert_allclose(cloud.normals, back / np.linalg.norm(back, axis=1, keepdims=True), atol=1e-5)


def test_unusable_points_are_dropped_and_counted() -> None:
    """Points without a finite place and normal are left out; a far one of them cannot move the box."""
    points, normals = raw_cloud()
    normals[10] = 0
    normals[11, 1] = np.nan
    points[12, 0] = np.inf
    points[10] = 1000
    cloud = canonical_cloud(points, normals, 500, np.random.default_rng(0))

    assert cloud.dropped == 3
    assert np.isfinite(cloud.points).all()
    np.testing.assert_allclose(cloud.center, [1, 2, 3])


@pytest.mark.parametrize(("count", "least", "most"), [(100, 0, 1), (500, 1, 1), (1200, 2, 3)])
def test_points_repeat_only_as_often_as_they_must(count: int, least: int, most: int) -> None:
    """Fewer are drawn without replacement, more repeat every point evenly."""
    cloud = canonical_cloud(*raw_cloud(), count, np.random.default_rng(0))
    _, repeats = np.unique(cloud.points, axis=0, return_counts=True)

    assert len(cloud.points) == count
    assert repeats.max() == most
    assert repeats.min() >= least


@pytest.mark.parametrize(("scale", "words"), [((1, 0), "no usable point"), ((0, 1), "one and the same")])
def test_a_cloud_without_normals_or_extent_is_an_error(scale: tuple[int, int], words: str) -> None:
    """All normals zero, or all points equal, cannot be mended."""
    points, normals = raw_cloud()

    with pytest.raises(InputError, match=words):
        canonical_cloud(points * scale[0], normals * scale[1], 10, np.random.default_rng(0))


def test_a_file_survives(tmp_path: Path) -> None:
    """Points and normals come back as float32."""
    points, normals = raw_cloud()
    write_cloud(tmp_path / "new" / "a.npz", points, normals)
    read = read_cloud(tmp_path / "new" / "a.npz")

    np.testing.assert_array_equal(read, [points.astype(np.float32), normals.astype(np.float32)])


def test_a_bad_file_is_one_sentence(tmp_path: Path) -> None:
    """Missing, truncated, foreign and pickled files, lacking normals and other shapes are refused by name."""
    points, normals = raw_cloud()
    write_cloud(tmp_path / "whole.npz", points, normals)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "whole.npz").read_bytes()[:-500])
    flipped = bytearray((tmp_path / "whole.npz").read_bytes())
    flipped[1000] ^= 255
    (tmp_path / "flipped.npz").write_bytes(flipped)
    (tmp_path / "text.npz").write_text("points")
    (tmp_path / "empty.npz").write_bytes(b"")
    with (tmp_path / "array.npz").open("wb") as stream:
        np.save(stream, points)
    np.savez(tmp_path / "bare.npz", points=points)
    np.savez(tmp_path / "pickled.npz", points=np.array([{}], dtype=object), normals=normals)
    np.savez(tmp_path / "shape.npz", points=points, normals=normals[:5])
    expected = {
        "missing": "does not exist",
        "cut": "cannot be read",
        "flipped": "cannot be read",
        "text": "cannot be read",
        "empty": "cannot be read",
        "array": "cannot be read",
        "bare": "has no normals, only points",
        "pickled": "cannot be read",
        "shape": r"normals \(5, 3\)",
    }

    for name, words in expected.items():
        with pytest.raises(InputError, match=words) as caught:
            read_cloud(tmp_path / f"{name}.npz")
        assert f"{name}.npz" in str(caught.value)
        assert "\n" not in str(caught.value)
