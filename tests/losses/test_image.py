"""Image terms weigh hypotheses by probability."""

import torch

from genren.losses.image import image_l1, perceptual


def test_only_probable_hypotheses_count():
    """A wrong render of probability 0 costs nothing; of probability 1 its summed channel error."""
    image = torch.zeros(1, 4, 8, 8)
    renders = torch.stack([image[0], image[0] + 0.5])[None]

    assert image_l1(image, renders, torch.tensor([[1.0, 0.0]])) == 0
    assert image_l1(image, renders, torch.tensor([[0.0, 1.0]])) == 2


def test_perceptual_distance_ignores_feature_length():
    """Features are compared per pixel by direction: doubling them changes nothing, turning them does."""
    real = [torch.rand(2, 5, 4, 4) + 0.1]
    probabilities = torch.full((2, 3), 1 / 3)
    doubled, turned = [real[0].repeat_interleave(3, 0) * 2], [real[0].flip(1).repeat_interleave(3, 0)]

    assert perceptual(real, doubled, probabilities) < 1e-6
    assert perceptual(real, turned, probabilities) > 0.05
