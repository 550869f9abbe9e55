"""Batches of images and clouds: their conventions, and that nothing pairs them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genren.data.batches import Batches, to_rgba8, to_tensor, to_uint8
from genren.data.store import Store
from genren.errors import InputError

SIZE = 4


def store(images: np.ndarray, clouds: int, split: str = "train") -> Store:
    """A store in memory; every coordinate of cloud i is i, every component of its normals -i."""
    points = np.broadcast_to(np.arange(clouds, dtype=np.float32)[:, None, None], (clouds, 20, 3))
    tables = (pd.DataFrame({"split": [split] * count}) for count in (len(images), clouds))
    return Store(Path(), images, points, -points, *tables, {})


def numbered(count: int) -> np.ndarray:
    """Opaque images (count, S, S, 4) of which image i has the red value i."""
    images = np.zeros((count, SIZE, SIZE, 4), dtype=np.uint8)
    images[..., 0], images[..., 3] = np.arange(count)[:, None, None], 255
    return images


def test_tensors_are_over_black_and_in_the_networks_range():
    """RGB is multiplied by alpha and mapped to [-1, 1]; alpha stays in [0, 1]; background is black, not grey."""
    image = torch.tensor([[255, 0, 255, 255], [255, 255, 0, 51], [200, 200, 200, 0]], dtype=torch.uint8)[None, None]

    tensor = to_tensor(image)

    assert tensor.shape == (1, 4, 1, 3)
    expected = [[1, -1, 1, 1], [-0.6, -0.6, -1, 0.2], [-1, -1, -1, 0]]
    torch.testing.assert_close(tensor[0, :, 0].T, torch.tensor(expected))


def test_straight_alpha_survives_the_round_trip():
    """Every colour under every alpha comes back to the digit; under no alpha there is no colour."""
    levels = torch.arange(256, dtype=torch.uint8)
    alpha, value = torch.meshgrid(levels, levels, indexing="ij")
    images = torch.stack([value, 255 - value, value // 2, alpha], dim=-1)[None]

    back = torch.from_numpy(to_rgba8(to_tensor(images)))

    assert torch.equal(back[:, 1:], images[:, 1:])
    assert not back[:, 0].any()


def test_no_colour_is_left_where_alpha_rounds_to_nothing():
    """A soft edge fainter than half a grey level becomes the same transparent black as the rest of the background."""
    render = torch.full((1, 4, 2, 2), -1.0)
    render[:, :3, 0], render[:, 3, 0] = -0.998, 0.0015

    assert not to_rgba8(render).any()


def test_rgb_is_over_black_and_clamped():
    """Extractors and figures see what the networks see, in 8 bits, whatever a network returns."""
    images = torch.tensor([[-1.0, 0.0, 1.0, 0.3], [-3.0, 3.0, 0.5, 1.0]])[..., None, None]

    assert to_uint8(images)[:, 0, 0].tolist() == [[0, 128, 255], [0, 255, 191]]
    assert to_uint8(images).shape == (2, 1, 1, 3)


def test_images_and_clouds_are_drawn_independently():
    """Images and shapes of one batch belong together no more often than chance has it: training is unpaired."""
    batches = Batches(store(numbered(8), clouds=8), "train", batch_size=8)

    pairs = [
        batches.draw_clouds(1).points[:, 0, 0] == ((batches.draw_images()[:, 0, 0, 0] + 1) / 2 * 255).round()
        for _ in range(200)
    ]

    # 1,600 pairs, each of one chance in eight: five deviations are 0.041.
    assert torch.stack(pairs).float().mean().item() == pytest.approx(1 / 8, abs=0.041)


def test_a_point_keeps_its_normal():
    """Points and normals of a cloud are drawn by the same rows, as many as asked for."""
    clouds = Batches(store(numbered(2), clouds=6), "train", batch_size=3).draw_clouds(7)

    assert clouds.points.shape == clouds.normals.shape == (3, 7, 3)
    assert torch.equal(clouds.points, -clouds.normals)
    assert len(clouds.points[:, 0, 0].unique()) == 3


def test_nothing_repeats_where_there_is_enough():
    """A batch as large as the split is the whole split."""
    batches = Batches(store(numbered(6), clouds=6), "train", batch_size=6)

    assert len(batches.draw_images().unique(dim=0)) == 6
    assert len(batches.draw_clouds(1).points.unique(dim=0)) == 6


def test_fewer_images_than_the_batch_are_repeated():
    """A tiny category still fills a batch, from all that it has, with nothing but what it has."""
    batches = Batches(store(numbered(3), clouds=2), "train", batch_size=40)

    images, clouds = batches.draw_images(), batches.draw_clouds(5)

    assert images.shape == (40, 4, SIZE, SIZE)
    assert clouds.points.shape == (40, 5, 3)
    assert len(images.unique(dim=0)) == 3
    assert clouds.points.unique().tolist() == [0, 1]


def test_only_the_split_is_drawn_from():
    """Images and clouds of other splits never reach a batch."""
    made = store(numbered(6), clouds=6)
    for table in (made.views, made.models):
        table["split"] = ["train", "test"] * 3
    batches = Batches(made, "test", batch_size=50)

    red = (batches.draw_images()[:, 0, 0, 0] + 1) / 2 * 255

    assert red.round().unique().tolist() == [1, 3, 5]
    assert batches.draw_clouds(2).points.unique().tolist() == [1, 3, 5]


def test_a_subset_is_all_that_is_drawn_from():
    """So many images and shapes, chosen once by the seed; more than there are is all of them."""
    chosen = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        batches = Batches(store(numbered(20), clouds=20), "train", 50, image_subset=5, shape_subset=3)
        chosen.append((batches.images[:, 0, 0, 0].tolist(), batches.points[:, 0, 0].tolist()))
    every = Batches(store(numbered(4), clouds=4), "train", 50, image_subset=9)

    assert [len(part) for part in chosen[0]] == [5, 3]
    assert chosen[0] == chosen[1] != chosen[2]
    assert (len(every.images), len(every.points)) == (4, 4)


def test_the_colour_pool_is_foreground_only():
    """Colours are those of pixels that are more than half opaque, straight and in [0, 1]; empty images give none."""
    images = np.zeros((3, SIZE, SIZE, 4), dtype=np.uint8)
    images[..., :3] = (0, 0, 255)
    images[..., 3] = 127
    images[0, 1, 2] = images[1, 3, 3] = (255, 51, 0, 200)

    pool = Batches(store(images, clouds=1), "train", batch_size=2).color_pool()

    assert pool.shape == (10, 3)
    torch.testing.assert_close(pool.unique(dim=0), torch.tensor([[1.0, 0.2, 0.0]]))


def test_images_without_foreground_are_refused():
    """Renders that show nothing are named as such, not passed on as an empty pool."""
    empty = np.zeros((2, SIZE, SIZE, 4), dtype=np.uint8)

    with pytest.raises(InputError, match="none of 2 images has a foreground pixel"):
        Batches(store(empty, clouds=1), "train", batch_size=2).color_pool()


@pytest.mark.parametrize(("images", "clouds", "found"), [(0, 3, "0 images and 3 clouds"), (2, 0, "2 images and 0 c")])
def test_an_empty_split_is_refused(images: int, clouds: int, found: str):
    """Without images or without clouds there is nothing to translate, and the sentence says which is missing."""
    with pytest.raises(InputError, match=f"split 'train' has {found}"):
        Batches(store(numbered(images), clouds), "train", batch_size=2)
