"""The camera-aware renderer: colours over black, near plane, handedness."""

import torch

from genren.geometry.camera import fixed_camera
from genren.geometry.sphere import icosphere
from genren.params import RenderParams
from genren.render import Renderer

HARD = RenderParams(supersample=2, sigmainv=7000, boxlen=0.02, knum=30)


def renderer(size: int = 32) -> Renderer:
    """A renderer of a coarse sphere."""
    return Renderer(icosphere(4).faces, fixed_camera(), size, HARD)


def test_background_is_black_and_transparent_and_the_object_opaque():
    """RGB is -1 and alpha 0 outside, the vertex colour mapped to [-1, 1] and alpha 1 inside."""
    vertices = 0.4 * icosphere(4).vertices[None]

    image = renderer()(vertices, torch.full_like(vertices, 0.75))[0]

    assert image.shape == (4, 32, 32)
    assert image[:, 0, 0].tolist() == [-1, -1, -1, 0]
    torch.testing.assert_close(image[:, 16, 16], torch.tensor([0.5, 0.5, 0.5, 1.0]))


def test_images_are_not_mirrored():
    """What is at +x in front of the camera appears at the right."""
    vertices = 0.3 * icosphere(4).vertices[None] + torch.tensor([0.2, 0.0, 0.0])

    alpha = renderer()(vertices, torch.ones_like(vertices))[0, 3]

    assert alpha[:, 16:].sum() > 2 * alpha[:, :16].sum()


def test_faces_behind_the_near_plane_give_nothing():
    """A mesh at or behind the camera is invisible, in colour and alpha, with finite gradients."""
    for depth in (1.2, 1.5, 5.0):
        vertices = (0.2 * icosphere(4).vertices[None] + torch.tensor([0.0, 0.0, depth + 0.2])).requires_grad_()

        image = renderer()(vertices, torch.ones_like(vertices))
        image.sum().backward()

        assert image[0, 3].max() == 0
        assert vertices.grad is not None
        assert vertices.grad.isfinite().all()


def test_the_silhouette_pulls_the_mesh():
    """Asking for more alpha on the right moves vertices to the right."""
    vertices = (0.3 * icosphere(4).vertices[None]).requires_grad_()

    image = renderer()(vertices, torch.ones_like(vertices))
    image[0, 3, :, 18:].sum().backward()

    assert vertices.grad is not None
    assert vertices.grad[..., 0].sum() > 0


def test_the_hard_renderer_has_no_halo():
    """In pictures, alpha is coverage and colour is composited by it: no dark rim around the object."""
    vertices = 0.4 * icosphere(4).vertices[None]

    image = Renderer.hard(icosphere(4).faces, fixed_camera(), 32)(vertices, torch.ones_like(vertices))[0]

    alpha, red = image[3], (image[0] + 1) / 2
    torch.testing.assert_close(red, alpha)
    assert set(alpha.unique().tolist()) <= {0, 0.25, 0.5, 0.75, 1}
    assert ((alpha > 0) & (alpha < 1)).any()
