"""Templates from files: what is read, and what is refused."""

from pathlib import Path

import pytest
import torch

from genren.errors import InputError
from genren.geometry.sphere import edges_and_faces, icosphere
from genren.geometry.surface import face_normals
from genren.geometry.template import BORDER, check_closed, find_template, load_template, make_template
from genren.models.model import GenerativeRenderer
from genren.params import PRESETS, TrainParams
from tests.conftest import preset

# A tetrahedron, 3 by 2 by 1, with a texture coordinate of its own at every corner but two.
VERTICES = ["v 0.5 0.5 0.5", "v -2.5 0.5 0.5", "v 0.5 -1.5 0.5", "v 0.5 0.5 -0.5"]
COORDINATES = ["vt 0 0", "vt 1 0.25", "vt 0.5 0.75", "vt 0.25 1", "vt 0.125 0.5", "vt 0.75 0.625"]
FACES = ["f 1/1 2/2 3/3", "f 1/1 3/3 4/4", "f 1/5 4/4 2/2", "f 2/6 4/4 3/3"]


def write(folder: Path, *lines: str) -> Path:
    """An OBJ file of those lines."""
    path = folder / "template.obj"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_a_file_is_read_as_it_stands(tmp_path: Path):
    """Order and positions are the file's, times the radius; comments, names and normals are passed over."""
    faces = [line.replace(" ", " ", 1) for line in FACES]
    path = write(tmp_path, "# by hand", "mtllib a.mtl", *VERTICES, *COORDINATES, "vn 0 0 1", "o body", "s 1", *faces)

    template = load_template(path, 2.0, projected=False)

    assert torch.tensor([[1, 1, 1], [-5, 1, 1], [1, -3, 1], [1, 1, -1.0]]).equal(template.vertices)
    assert torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]]).equal(template.faces)
    for found, expected in zip((template.edges, template.edge_faces), edges_and_faces(template.faces), strict=True):
        assert found.equal(expected)


def test_texture_coordinates_are_the_specified_ones(tmp_path: Path):
    """2u - 1 and 2v - 1, held off the border; the last mention in the faces is the vertex' own, corners keep theirs."""
    template = load_template(write(tmp_path, *VERTICES, *COORDINATES, *FACES), 1.0, projected=True)
    first, second, third = torch.tensor([[-0.75, 0.0], [0.5, 0.25], [0.0, 0.5]])

    torch.testing.assert_close(template.uv, torch.stack([first, second, third, torch.tensor([-0.5, 1 - BORDER])]))
    torch.testing.assert_close(template.face_uvs[0, 0], torch.tensor([BORDER - 1, BORDER - 1]))
    torch.testing.assert_close(template.face_uvs[2, 0], first)
    torch.testing.assert_close(template.face_uvs[0, 1], torch.tensor([1 - BORDER, -0.5]))
    assert template.uv.abs().max() < 1
    assert template.face_uvs.shape == (4, 3, 2)


def test_projection_divides_by_the_norm(tmp_path: Path):
    """As the original does to every file; a vertex at the origin has no direction."""
    path = write(tmp_path, *VERTICES, *COORDINATES, *FACES)

    kept, projected = load_template(path, 1.0, projected=False), load_template(path, 3.0, projected=True)

    torch.testing.assert_close(projected.vertices, 3 * torch.nn.functional.normalize(kept.vertices, dim=1))
    path = write(tmp_path, "v 0 0 0", *VERTICES[1:], *COORDINATES, *FACES)
    with pytest.raises(InputError, match="has a vertex at the origin"):
        load_template(path, 1.0, projected=True)


def test_polygons_and_relative_indices_are_read(tmp_path: Path):
    """A pyramid with a base of four corners, counted from the end."""
    points = ["v 1 0 1", "v 1 0 -1", "v -1 0 -1", "v -1 0 1", "v 0 1 0"]
    faces = ["f -5/-1 -4/-1 -1/-1", "f -4/-1 -3/-1 -1/-1", "f -3/-1 -2/-1 -1/-1", "f -2/-1 -5/-1 -1/-1"]
    path = write(tmp_path, *points, "vt 0.5 0.5", *faces, "f 4/1/1 3/1/1 2/1/1 1/1/1")

    template = load_template(path, 1.0, projected=False)

    assert template.faces[4:].tolist() == [[3, 2, 1], [3, 1, 0]]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([*VERTICES, *COORDINATES, *FACES[:3]], "is no closed mesh: 3 edges"),
        ([*VERTICES, *COORDINATES, *FACES[:3], "f 2/6 3/3 4/4"], "is no closed mesh"),
        ([*VERTICES, "v 9 9 9", *COORDINATES, *FACES], "has 1 vertices without a face"),
        ([*VERTICES, *COORDINATES, *(f"f {b} {a} {c}" for _, a, b, c in map(str.split, FACES))], "is inside out"),
        ([*VERTICES, *FACES], r"line 5: the corner '1/1' is of something that is not there"),
        ([*VERTICES, "f 1 2 3"], "line 5: the corner '1' has no texture coordinate; unwrap"),
        ([*VERTICES, *COORDINATES, "f 1/1 2/2"], "fewer than three corners"),
        (["v 1 2"], "line 1: '1 2' is not 3 finite numbers"),
        (["v 1 2 nan"], "line 1: '1 2 nan' is not 3 finite numbers"),
        (["v 1 2 x"], "line 1: could not convert"),
        (VERTICES, "has no faces"),
    ],
)
def test_a_file_that_cannot_be_a_template_is_refused(lines: list[str], message: str, tmp_path: Path):
    """Holes, loose vertices, faces that look inwards, missing coordinates, nonsense: one sentence each."""
    with pytest.raises(InputError, match=message):
        load_template(write(tmp_path, *lines), 1.0, projected=False)


def test_surfaces_that_only_touch_are_refused():
    """Two tetrahedra that share a corner are closed and still no manifold."""
    one = torch.tensor([[0, 1, 2], [0, 2, 3], [0, 3, 1], [1, 3, 2]])
    check_closed(one, 4, "one")
    check_closed(torch.cat([one, one + 4]), 8, "two apart")
    other = torch.where(one == 0, 0, one + 3)

    with pytest.raises(InputError, match="two has 1 vertices where surfaces only touch"):
        check_closed(torch.cat([one, other]), 7, "two")


def test_spheres_are_closed():
    """The check passes what every other preset stands on."""
    template = icosphere(10)

    check_closed(template.faces, len(template.vertices), "sphere")


def test_a_name_is_searched_among_the_presets_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """`airplane.obj` is ours; a path is a path; what is neither is answered with what there is."""
    own = write(tmp_path, *VERTICES, *COORDINATES, *FACES)
    monkeypatch.chdir(tmp_path)

    assert find_template("airplane.obj") == PRESETS / "airplane.obj"
    assert own.resolve() == find_template("template.obj").resolve()
    with pytest.raises(InputError, match=r"'boat\.obj' is no file; expected sphere, airplane\.obj, or the path"):
        find_template("boat.obj")
    with pytest.raises(InputError, match="is no file"):
        find_template("original.yaml")


def test_a_model_stands_on_a_file(tiny_params: TrainParams, tmp_path: Path):
    """`model.template` names the mesh that shapes deform; its vertices learn only if the settings say so."""
    path = write(tmp_path, *VERTICES, *COORDINATES, *FACES)
    settings = {"template": str(path), "template_projected": False, "template_radius": 1.0, "seamless": False}
    fixed = GenerativeRenderer(tiny_params.model.model_copy(update=settings))
    learned = GenerativeRenderer(tiny_params.model.model_copy(update=settings | {"learn_template": True}))

    assert load_template(path, 1.0, projected=False).vertices.equal(fixed.template_vertices)
    assert fixed.decode(torch.zeros(1, 6)).vertices.shape == (1, 4, 3)
    assert "template_vertices" not in dict(fixed.named_parameters())
    learned.decode(torch.randn(3, 6)).vertices.square().sum().backward()
    assert learned.template_vertices.grad.abs().min() > 0


def test_the_airplanes_of_the_original_stand_on_ours():
    """The planes set has the OBJ template, projected to the unit sphere as there; the others the sphere."""
    airplane = make_template(preset("original", "airplane").model)

    torch.testing.assert_close(airplane.vertices.norm(dim=1), torch.ones(len(airplane.vertices)))
    assert len(make_template(preset("original", "cabinet").model).vertices) == 1002
    assert len(airplane.vertices) == 1058


def test_a_file_may_be_turned_and_refined(tmp_path: Path):
    """A quarter turn about x takes y to z; subdivision keeps the surface, closed, with four times the faces."""
    path = write(tmp_path, *VERTICES, *COORDINATES, *FACES)
    plain = load_template(path, 1.0, projected=False)

    turned = load_template(path, 1.0, projected=False, turn=90.0)
    fine = load_template(path, 1.0, projected=False, subdivided=True)

    torch.testing.assert_close(turned.vertices, plain.vertices[:, [0, 2, 1]] * torch.tensor([1.0, -1.0, 1.0]))
    assert (len(fine.vertices), len(fine.faces)) == (4 + 6, 16)
    areas = [face_normals(t.vertices[None], t.faces)[1] for t in (plain, fine)]
    torch.testing.assert_close(areas[0].sum(), areas[1].sum())
    # The last four faces are the middles of the first ones: a quarter of their area, around the same texel.
    torch.testing.assert_close(areas[1][0, 12:], areas[0][0] / 4)
    torch.testing.assert_close(fine.face_uvs[12:].mean(1), plain.face_uvs.mean(1))
