"""The camera-aware renderer: colours over black, near plane, handedness."""

import pytest
import torch

from genren.geometry.camera import fixed_camera
from genren.geometry.sphere import icosphere
from genren.params import RenderParams
from genren.render import Renderer

HARD = RenderParams(supersample=2, sigmainv=7000, boxlen=0.02, knum=30, backend="auto")


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


def test_a_texture_is_read_by_every_pixel():
    """A striped texture on two large faces shows its stripes, which colours at three corners cannot."""
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    square = torch.tensor([[[-0.5, -0.5, 0.0], [0.5, -0.5, 0.0], [0.5, 0.5, 0.0], [-0.5, 0.5, 0.0]]])
    uvs = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])[faces]
    stripes = torch.zeros(1, 3, 8, 8)
    stripes[..., ::2] = 1
    stripes.requires_grad_()

    image = Renderer.hard(faces, fixed_camera(), 64).textured(square, stripes, uvs)
    image.sum().backward()

    row = image[0, 0, 32, 10:54]
    assert ((row[1:] > 0) != (row[:-1] > 0)).sum() == 7
    assert image[0, :, 0, 0].tolist() == [-1, -1, -1, 0]
    assert stripes.grad is not None
    assert (stripes.grad > 0).all()


def test_texture_and_colours_agree_where_both_can():
    """A texture that is linear in u and v draws what the same values at the vertices draw."""
    sphere = icosphere(4)
    vertices = 0.4 * sphere.vertices[None]
    uv = (sphere.vertices[:, :2] * 0.4 + 0.5).clamp(0, 1)
    steps = (torch.arange(64) + 0.5) / 64
    maps = torch.stack([steps.expand(64, 64), steps.flip(0)[:, None].expand(64, 64), torch.ones(64, 64)])[None]
    colors = torch.cat([uv, torch.ones(len(uv), 1)], dim=1)[None]

    textured = renderer().textured(vertices, maps, uv[sphere.faces])

    torch.testing.assert_close(textured, renderer()(vertices, colors), atol=1e-3, rtol=0)


def test_the_background_of_a_texture_is_black():
    """Where no face is, the texture's lower left corner does not shine through, soft mask or not."""
    sphere = icosphere(4)

    image = renderer().textured(
        0.3 * sphere.vertices[None], torch.ones(1, 3, 4, 4), torch.rand(len(sphere.faces), 3, 2)
    )

    assert image[0, :, 0, 0].tolist() == [-1, -1, -1, 0]


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        (torch.tensor([[0, 1]]), r"faces must be \(F, 3\) int64, got \(1, 2\)"),
        (torch.tensor([[0, 1, 2]], dtype=torch.int32), "faces must be .*, got .* torch.int32"),
        (torch.zeros(0, 3, dtype=torch.int64), r"faces must be .*, got \(0, 3\)"),
        (torch.tensor([[0, 1, -2]]), "faces must index vertices from 0 on, got -2"),
    ],
)
def test_faces_that_are_none_are_named(faces: torch.Tensor, message: str):
    """Shape, type and range of the faces are looked at once, when the renderer is made."""
    with pytest.raises(ValueError, match=message):
        Renderer(faces, fixed_camera(), 32, HARD)


def test_faces_out_of_range_are_named():
    """Too few vertices for the faces, and colours or coordinates that do not fit, are named."""
    vertices, draw = icosphere(4).vertices[None], renderer()

    with pytest.raises(ValueError, match=r"vertices must be \(B, V, 3\) with V above 161, .* got \(1, 161, 3\)"):
        draw(vertices[:, :-1], vertices[:, :-1])
    with pytest.raises(ValueError, match=r"colors must be \(1, 162, 3\) as the vertices, got \(1, 162, 4\)"):
        draw(vertices, torch.ones(1, 162, 4))
    with pytest.raises(ValueError, match=r"face_uvs must be \(320, 3, 2\), got \(162, 2\)"):
        draw.textured(vertices, torch.ones(1, 3, 4, 4), torch.ones(162, 2))
