"""Source `shapenetcore`: ShapeNetCore's meshes, rendered here; and clouds of them for 3D-R2N2's renders."""

import tempfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath

import numpy as np

from genren.categories import synset
from genren.data import r2n2
from genren.errors import InputError
from genren.fetch.hub import SCHEME, hub_file
from genren.fetch.orientation import outward
from genren.fetch.rendered import write_rendered
from genren.fetch.sources.offer import Model, Offer, own_models
from genren.fetch.sources.shapenet import Cloud, Clouds, r2n2_split
from genren.fetch.trees import Downloads, Tree, models_of
from genren.geometry.glb import save_mesh
from genren.geometry.mesh import TexturedMesh
from genren.geometry.meshfile import load_mesh
from genren.geometry.sampling import sample_surface
from genren.params import FetchParams

# Where a model's mesh lies in its folder, by version.
MESH = {1: "model.obj", 2: "models/model_normalized.obj"}


def offer(category: str, params: FetchParams) -> Offer:
    """The models of a category that have a mesh."""
    tree = _tree(category, params, Downloads(params.download))
    files, mended = own_models(tree, category, "expected ShapeNetCore: see docs/data.md")
    names = _with_mesh(files, tree, params)
    if len(names) < len(files):
        mended.append(f"{len(files) - len(names)} models have no {MESH[params.shapenetcore.version]} and were left out")

    def writer(name: str) -> Callable[[Path], None]:
        def write_glb(path: Path) -> None:
            save_mesh(path, read_mesh(tree, files[name], params.shapenetcore.version))

        return lambda folder: write_rendered(folder, category, name, write_glb, params, orient=True)

    source = f"shapenetcore v{params.shapenetcore.version} {Path(tree.place).name}"
    return Offer([Model(name, name, source, writer(name)) for name in names], {"r2n2": r2n2_split(names)}, mended)


def clouds(category: str, params: FetchParams, downloads: Downloads) -> Clouds:
    """Clouds for 3D-R2N2's renders, in the frame of the files: the cameras are those of version 1's coordinates."""
    if params.shapenetcore.version != 1:
        raise InputError(
            "fetch.shapenetcore.version is 2, whose meshes do not line up with 3D-R2N2's renders; set it to 1"
        )
    tree = _tree(category, params, downloads)
    files = models_of(tree, synset(category))

    def read(name: str, views: r2n2.Views) -> Cloud:
        mesh = read_mesh(tree, files[name], 1)
        rng = np.random.default_rng([params.seed, *f"{category}/{name}".encode()])
        faces = outward(mesh.normalized(diagonal=True).vertices, mesh.faces)
        return sample_surface(mesh.vertices, faces, params.points, rng)[:2]

    return Clouds(tree.place, set(_with_mesh(files, tree, params)), read)


def read_mesh(tree: Tree, files: dict[str, str], version: int) -> TexturedMesh:
    """A model's mesh. Materials that cannot be read cost its colours, not the model."""
    mesh = MESH[version]
    home = PurePosixPath(mesh).parent
    contents = tree.read(list(files.values()))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for inside, full in files.items():
            # Version 2 keeps its pictures in `../images`; here everything is below the mesh's folder.
            name_there = PurePosixPath(inside)
            place = folder / (name_there.relative_to(home) if name_there.is_relative_to(home) else name_there)
            place.parent.mkdir(parents=True, exist_ok=True)
            data = contents[full]
            place.write_bytes(data.replace(b"../images/", b"images/") if name_there.suffix == ".mtl" else data)
        path = folder / PurePosixPath(mesh).name
        place_name = f"{tree.place}: {files[mesh]}"
        try:
            return load_mesh(path)
        except InputError:
            kept = [line for line in path.read_bytes().splitlines() if not line.startswith((b"mtllib", b"usemtl"))]
            path.write_bytes(b"\n".join(kept))
        try:
            return load_mesh(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), place_name)) from None


def _with_mesh(files: dict[str, dict[str, str]], tree: Tree, params: FetchParams) -> list[str]:
    """Models that have a mesh; version 2 is known to lack some."""
    mesh = MESH[params.shapenetcore.version]
    names = [name for name, inside in files.items() if mesh in inside]
    if not names:
        raise InputError(
            f"{tree.place} has {len(files)} models and no {mesh}; expected version {params.shapenetcore.version} of "
            "ShapeNetCore: see fetch.shapenetcore.version"
        )
    return names


def _tree(category: str, params: FetchParams, downloads: Downloads) -> Tree:
    """The category's part of ShapeNetCore: a folder per synset, one zip per synset, or one archive of all."""
    data, number = params.shapenetcore.data, synset(category)
    if data.startswith(SCHEME):
        return downloads.tree(str(hub_file(data, f"{number}.zip", downloads.folder, downloads.checksums)), number)
    single = Path(data).expanduser() / f"{number}.zip"
    return downloads.tree(str(single) if single.is_file() else data, number)
