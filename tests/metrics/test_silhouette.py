"""Silhouette overlap and pixel errors: definitions, edge cases, and what each of them sees."""

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from genren.errors import InputError
from genren.metrics.silhouette import MAX_PSNR, over_black, psnr, rerender_l1, silhouette_iou


def square(left: int, size: int = 8, side: int = 32) -> Tensor:
    """An alpha (1, side, side) with one opaque square."""
    alpha = torch.zeros(1, side, side)
    alpha[:, 4 : 4 + size, left : left + size] = 1
    return alpha


def test_iou_of_squares_that_overlap_by_half() -> None:
    """Half of each covered means a third of the union: IoU 1/3, where a Dice score would say 1/2."""
    assert float(silhouette_iou(square(4), square(8))) == pytest.approx(1 / 3)


def test_iou_agrees_with_the_definition() -> None:
    """Soft alphas, cut at one half, equal a loop over the pixels, item by item of the batch."""
    predicted, target = torch.rand(3, 5, 6), torch.rand(3, 5, 6)
    score = silhouette_iou(predicted, target)

    for b in range(3):
        pairs = zip(predicted[b].flatten().tolist(), target[b].flatten().tolist(), strict=True)
        inside = [(p > 0.5, t > 0.5) for p, t in pairs]
        expected = sum(p and t for p, t in inside) / sum(p or t for p, t in inside)

        assert expected == pytest.approx(float(score[b]))


def test_iou_ends_of_the_scale() -> None:
    """1 for equal silhouettes and for two empty ones, 0 for disjoint ones and for one that vanished."""
    empty = torch.zeros(1, 32, 32)

    assert float(silhouette_iou(square(4), square(4))) == 1.0
    assert float(silhouette_iou(empty, empty)) == 1.0
    assert float(silhouette_iou(square(4), square(20))) == 0.0
    assert float(silhouette_iou(empty, square(4))) == 0.0


def test_iou_looks_at_the_place_not_the_size() -> None:
    """A mirrored silhouette of the same area is not the same silhouette."""
    assert float(silhouette_iou(square(4).flip(-1), square(4))) < 0.5


def test_a_colour_under_no_alpha_does_not_count() -> None:
    """Straight-alpha files may hold any colour where they are transparent; over black it is gone."""
    image, other = torch.rand(2, 4, 8, 8), torch.rand(2, 4, 8, 8)
    image[:, 3] = 0
    other[:, 3] = 0

    assert torch.equal(rerender_l1(over_black(image), over_black(other)), torch.zeros(2))


def test_rerender_l1_counts_four_channels_and_all_pixels() -> None:
    """Alpha off by 1 on an eighth of the pixels, colours equal: 1/8 over 4 channels."""
    image, target = torch.zeros(1, 4, 8, 8), torch.zeros(1, 4, 8, 8)
    image[:, 3, 0] = 1

    assert float(rerender_l1(image, target)) == pytest.approx(1 / 32)


def test_psnr_of_a_known_error() -> None:
    """An error of 0.1 everywhere is 20 dB; alpha does not take part."""
    image, target = torch.full((1, 4, 8, 8), 0.6), torch.full((1, 4, 8, 8), 0.5)
    image[:, 3] = 0

    assert float(psnr(image, target)) == pytest.approx(20, abs=1e-4)


def test_psnr_of_equal_images_is_a_number_that_json_can_hold() -> None:
    """Identical images reach the ceiling instead of infinity."""
    image = torch.rand(1, 4, 8, 8)

    assert float(psnr(image, image)) == MAX_PSNR


def test_a_turned_or_darkened_render_is_worse() -> None:
    """Both pixel errors see a wrong view and a wrong brightness, and see more of it where there is more."""
    target = over_black(torch.rand(1, 4, 16, 16))
    noise = target + 0.01

    for wrong in (target.flip(-1), target * 0.8):
        assert float(rerender_l1(wrong, target)) > float(rerender_l1(noise, target))
        assert float(psnr(wrong, target)) < float(psnr(noise, target))
    assert float(psnr(target * 0.5, target)) < float(psnr(target * 0.8, target))


@pytest.mark.parametrize("metric", [silhouette_iou, rerender_l1, psnr])
def test_bad_pairs_are_refused(metric: Callable[[Tensor, Tensor], Tensor]) -> None:
    """Shapes that would broadcast, and pixels that are not finite, end in an error instead of a score."""
    image = torch.rand(2, 4, 8, 8) if metric is not silhouette_iou else torch.rand(2, 8, 8)
    broken = image.clone()
    broken[0, 0, 0] = math.nan

    with pytest.raises(InputError, match="one shape"):
        metric(image, image[:1])
    with pytest.raises(InputError, match="predicted holds pixels that are not finite"):
        metric(broken, image)
