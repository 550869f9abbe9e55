"""`genren generate`: new meshes, reproducible by seed."""

from pathlib import Path

import numpy as np

from genren.geometry.meshfile import load_mesh
from tests.conftest import Terminal, contents


def test_generate_makes_different_meshes(project: Path, genren: Terminal, tmp_path: Path):
    """As many readable, coloured meshes with renders as asked for, no two alike."""
    lines = genren("generate", "--category", "cabinet", "--count", 3, "--out", tmp_path / "out")

    assert lines == [str(tmp_path / "out" / f"00{i}.glb") for i in range(3)]
    assert len(contents(tmp_path / "out")) == 6
    meshes = [load_mesh(Path(line)) for line in lines]
    assert [len(mesh.faces) for mesh in meshes] == [80] * 3
    assert np.abs(meshes[0].vertices - meshes[1].vertices).max() > 1e-4
    assert np.abs(meshes[0].face_colors - meshes[1].face_colors).max() > 1e-4


def test_the_same_sample_seed_gives_the_same_files(project: Path, genren: Terminal, tmp_path: Path):
    """Meshes and renders are equal byte for byte; another seed gives others."""
    for name, seed in (("one", 4), ("two", 4), ("other", 5)):
        genren("generate", "--category", "cabinet", "--count", 2, "--out", tmp_path / name, "--sample-seed", seed)

    one, two, other = (contents(tmp_path / name) for name in ("one", "two", "other"))
    assert one == two
    assert all(one[name] != other[name] for name in one if name.endswith(".glb"))
