"""The embedded source: every model is sound, repeatable, and unlike the next one."""

import hashlib
import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
import trimesh
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from genren.data.procedural import CATEGORIES, build
from genren.data.procedural.materials import Fade, flat
from genren.data.procedural.parts import AIRFOIL, RECTANGLE, box, chamfered, circle, cushion, loft
from genren.errors import InputError
from genren.geometry.color import srgb_to_linear
from genren.geometry.meshfile import load_mesh

COUNT = 30  # models looked at per category

# Smallest standard deviations of log(width / height), log(depth / height) and log(width / depth) over a category.
SPREADS = {
    "airplane": (0.25, 0.15, 0.25),
    "cabinet": (0.5, 0.4, 0.3),
    "car": (0.15, 0.15, 0.15),
    "chair": (0.25, 0.25, 0.1),
    "sofa": (0.3, 0.15, 0.25),
}

each_category = pytest.mark.parametrize("category", CATEGORIES)


@cache
def models(category: str) -> list[trimesh.Scene]:
    """The first models of a category, for looking at only."""
    return [build(category, 0, index) for index in range(COUNT)]


def part(scene: trimesh.Scene, name: str) -> trimesh.Trimesh:
    """A part by its name."""
    return scene.geometry[name]


def bodies(mesh: trimesh.Trimesh) -> list[tuple[float, bool]]:
    """Signed volume of each connected surface of a part, corners at one place joined, and whether it is closed.

    The volume of an open surface is that of the cone of its faces about the middle of its rim, which is right where the
    hole is flat.
    """
    places, joined = np.unique(np.round(mesh.vertices, 9), axis=0, return_inverse=True)
    faces = joined.reshape(-1)[mesh.faces]
    edges = faces[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    graph = coo_array((np.ones(len(edges)), edges.T), shape=(len(places),) * 2)
    _, labels = connected_components(graph, directed=False)
    found = []
    for label in np.unique(labels[faces[:, 0]]):
        own = faces[labels[faces[:, 0]] == label]
        pairs, counts = np.unique(
            np.sort(own[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0, return_counts=True
        )
        rim = pairs[counts % 2 == 1]
        corners = places[own] - (places[rim].mean((0, 1)) if len(rim) else 0)
        found.append((float(np.linalg.det(corners).sum() / 6), len(rim) == 0))
    return found


# The solids all models are made of.


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("outline", [RECTANGLE, AIRFOIL, circle(9), chamfered(0.3, 0.2)], ids=len)
def test_a_loft_is_closed_and_faces_outward_along_every_axis(axis: int, outline: np.ndarray) -> None:
    """One reversed axis would turn a third of all parts inside out, and the clouds' normals with them."""
    stations = np.zeros((3, 5))
    stations[:, axis] = (-1, 0, 2)
    stations[:, 3:] = (1, 2)

    solid = loft(axis, outline, stations)

    following = np.roll(outline, -1, axis=0)
    area = (outline[:, 0] * following[:, 1] - outline[:, 1] * following[:, 0]).sum() / 2
    [(volume, closed)] = bodies(trimesh.Trimesh(solid.vertices, solid.faces, process=False))
    assert closed
    assert area * (1 / 2) * (2 / 2) * 3 == pytest.approx(volume)  # half of each size, and the length


@pytest.mark.parametrize("side", ["left", "right", "bottom", "top", "back", "front"])
def test_a_box_without_a_side_lacks_that_side(side: str) -> None:
    """A side left out on the wrong end shows a hole instead of hiding a contact face."""
    outward = {"right": (0, -1), "left": (0, 1), "bottom": (1, -1), "top": (1, 1), "back": (2, -1), "front": (2, 1)}
    axis, sign = outward[side]

    solid = box((1, 2, 3), (0, 0, 0), without=side)

    normals = trimesh.Trimesh(solid.vertices, solid.faces, process=False).face_normals
    assert len(normals) == 10
    assert not (normals[:, axis] * sign > 0.5).any()


def test_mirroring_and_turning_keep_a_solid_facing_outward() -> None:
    """Reflecting vertices alone would turn the right half of every model inside out."""
    solid = cushion(1, (0.2, 0, 0), (1, 1, 2), 0.1)

    for changed in (solid.mirrored(), solid.rotated(0, 40, (0, 1, 0)), solid.moved(x=3), solid.turned()):
        [(volume, closed)] = bodies(trimesh.Trimesh(changed.vertices, changed.faces, process=False))
        assert closed
        assert volume > 1
    assert solid.mirrored().vertices[:, 0].max() == pytest.approx(-0.2)


def test_rotation_is_right_handed() -> None:
    """Backs of chairs lean backward only if a turn about +x takes +y towards +z."""
    solid = box((1, 1, 1), (0, 5, 0)).rotated(0, 90)

    assert solid.vertices.mean(0) == pytest.approx([0, 0, 5])


def test_flat_colors_and_vertex_colors_are_stored_linear() -> None:
    """Factors and vertex colours of glTF are linear light: sRGB numbers there would come out far too bright."""
    color = np.array([0.8, 0.5, 0.2])

    factor = flat(color).baseColorFactor
    painted = Fade(color, np.ones(3)).paint(np.array([0.0, 1.0]))

    assert factor[:3] / 255 == pytest.approx(srgb_to_linear(color), abs=1 / 255)
    assert painted[0, :3] / 255 == pytest.approx(srgb_to_linear(color), abs=1 / 255)
    assert painted[1].tolist() == [255] * 4


# The models.


@each_category
def test_the_same_arguments_give_the_same_bytes(category: str) -> None:
    """A model is a pure function of category, seed and index; the data's hash is what DVC goes by."""
    first, second = (build(category, 3, 7).export(file_type="glb") for _ in range(2))

    assert first == second


def test_another_process_gives_the_same_bytes() -> None:
    """Nothing in a file depends on the hash seed of the process that writes it."""
    program = (
        "import hashlib; from genren.data.procedural import CATEGORIES, build; "
        "print(hashlib.sha256(b''.join(build(c, 1, 2).export(file_type='glb') for c in CATEGORIES)).hexdigest())"
    )
    environment = os.environ | {"PYTHONHASHSEED": "123"}

    here = hashlib.sha256(b"".join(build(c, 1, 2).export(file_type="glb") for c in CATEGORIES)).hexdigest()
    there = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert here == there.stdout.strip()


@each_category
def test_seed_and_index_both_change_the_shape(category: str) -> None:
    """Each model is a design of its own, and so is each collection."""
    extents = [tuple(scene.extents) for scene in (*models(category), build(category, 1, 0))]

    assert len(set(extents)) == COUNT + 1


def test_an_unknown_category_is_an_error_that_names_the_known() -> None:
    """A typing error is answered with what would have worked."""
    with pytest.raises(InputError, match=r"'cabinte'.*airplane, cabinet, car, chair, sofa"):
        build("cabinte", 0, 0)


@each_category
def test_every_part_faces_outward(category: str) -> None:
    """Clouds take their normals from the winding: an inverted part would teach the encoder inside out."""
    for scene in models(category):
        for name, mesh in scene.geometry.items():
            volumes = [volume for volume, _ in bodies(mesh)]
            # A cabinet's body is a box, its front tiles and its hollows: outward as a whole.
            assert (sum(volumes) if (category, name) == ("cabinet", "body") else min(volumes)) > 0, name


@each_category
def test_vertices_and_texture_coordinates_are_usable(category: str) -> None:
    """Nothing is infinite or collapsed, no vertex is left over, and no coordinate needs a texture to repeat."""
    for scene in models(category):
        for mesh in scene.geometry.values():
            assert np.isfinite(mesh.vertices).all()
            assert mesh.area_faces.min() > 0
            assert len(np.unique(mesh.faces)) == len(mesh.vertices)
            uv = getattr(mesh.visual, "uv", None)
            assert uv is None or (uv.min() >= 0 and uv.max() <= 1)


@each_category
def test_models_are_small(category: str) -> None:
    """The renderer's time goes with the faces, the disk's space with the bytes."""
    faces = [sum(len(mesh.faces) for mesh in scene.geometry.values()) for scene in models(category)]
    sizes = [len(scene.export(file_type="glb")) for scene in models(category)]

    assert min(faces) >= 60
    assert max(faces) <= 3000
    assert np.mean(sizes) < 100_000


@each_category
def test_proportions_vary(category: str) -> None:
    """A category's mean shape must be a poor answer, so boxes differ by large factors."""
    extents = np.array([scene.extents for scene in models(category)])
    ratios = np.log([extents[:, 0] / extents[:, 1], extents[:, 2] / extents[:, 1], extents[:, 0] / extents[:, 2]])

    assert (ratios.std(axis=1) > SPREADS[category]).all()


@each_category
def test_most_models_wear_a_texture_and_all_kinds_of_color_occur(category: str) -> None:
    """Textures, flat materials and (in furniture and airplanes) vertex colours all pass through the pipeline."""
    kinds = []
    for scene in models(category):
        visuals = [mesh.visual for mesh in scene.geometry.values()]
        painted = {visual.kind == "vertex" for visual in visuals}
        materials = [visual.material for visual in visuals if visual.kind == "texture"]
        textures = {material.baseColorTexture is not None for material in materials}
        kinds.append((True in textures, False in textures, True in painted))
    textured, plain, vertex = np.mean(kinds, axis=0)

    assert textured >= 0.7
    assert plain >= 0.3
    assert vertex > 0 or category in ("car", "sofa")


@each_category
def test_a_model_reads_back_from_glb(category: str, tmp_path: os.PathLike[str]) -> None:
    """What the mesh reader sees is what was built: faces, box and the number of pictures."""
    scene = models(category)[0]
    path = tmp_path / "model.glb"
    path.write_bytes(scene.export(file_type="glb"))

    mesh = load_mesh(path)

    assert sum(len(part.faces) for part in scene.geometry.values()) == len(mesh.faces)
    np.testing.assert_allclose(scene.bounds, [mesh.vertices.min(0), mesh.vertices.max(0)], atol=1e-5)
    assert len(mesh.textures) >= 1
    assert {64, 128, 256} >= {side for texture in mesh.textures for side in texture.shape[:2]} - {32, 48}


@pytest.mark.parametrize("category", ["car", "chair"])
def test_left_and_right_agree(category: str) -> None:
    """Things that are symmetric stand symmetric about x = 0."""
    for scene in models(category):
        assert scene.bounds[0, 0] == pytest.approx(-scene.bounds[1, 0], abs=1e-9)


def test_chairs_stand_on_their_legs_and_lean_backward() -> None:
    """+Y is up and +Z is the front: legs below the seat, the back above and behind it."""
    for scene in models("chair"):
        seat = part(scene, "seat").bounds
        base = scene.geometry.get("legs", scene.geometry.get("body"))
        back = scene.geometry.get("back", scene.geometry.get("rail")).bounds
        assert base.triangles_center.mean(0)[1] < seat[0, 1]
        assert back.mean(0)[1] > seat[1, 1]
        assert back.mean(0)[2] < seat.mean(0)[2]
        assert scene.bounds[0, 1] == pytest.approx(0, abs=1e-3)


def test_cars_look_towards_the_front() -> None:
    """Headlights at +Z, tail lights at -Z, wheels on the ground, the cabin above the body."""
    for scene in models("car"):
        assert part(scene, "headlights").bounds[0, 2] > 0.8 * scene.bounds[1, 2] > 0
        assert part(scene, "taillights").bounds[1, 2] < 0.8 * scene.bounds[0, 2] < 0
        assert part(scene, "wheels").bounds[0, 1] == pytest.approx(scene.bounds[0, 1])
        assert part(scene, "cabin").centroid[1] > part(scene, "body").centroid[1]


def test_airplanes_fly_towards_the_front() -> None:
    """The fin stands up at the tail, at -Z; the wings reach out to both sides."""
    for scene in models("airplane"):
        fuselage, wings = part(scene, "fuselage").bounds, part(scene, "wings").bounds
        assert wings[1, 0] == pytest.approx(-wings[0, 0])
        assert wings[1, 0] > 2 * fuselage[1, 0]
        if "fin" in scene.geometry:
            fin = part(scene, "fin").bounds
            assert fin[1, 1] > fuselage[1, 1]
            assert fin.mean(0)[2] < -0.3


def test_sofas_and_cabinets_face_the_front() -> None:
    """A sofa's back is behind its seats; doors, drawers and handles are on a cabinet's front."""
    for scene in models("sofa"):
        assert part(scene, "back").bounds[0, 2] <= part(scene, "body").bounds[0, 2]
        assert part(scene, "back").bounds[1, 1] > part(scene, "body").bounds[1, 1]
    handles = [scene for scene in models("cabinet") if "handles" in scene.geometry]
    assert len(handles) > COUNT / 2
    for scene in handles:
        assert part(scene, "handles").bounds[1, 2] == pytest.approx(scene.bounds[1, 2], abs=0.05)
