"""The sources of real data, on the same few models in the formats of each: what comes out is what went in."""

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial import cKDTree

from genren.data import r2n2
from genren.data.cameras import from_views, read_cameras
from genren.data.clouds import cloud_file, read_cloud
from genren.data.store import Store, read_table
from genren.errors import InputError
from genren.fetch import fetch
from genren.params import PreprocessParams
from genren.preprocess import preprocess
from tests.conftest import contents
from tests.fetch import world as formats
from tests.fetch.server import Server
from tests.fetch.world import NO_LISTS, VIEWS, World, settings

pytestmark = pytest.mark.usefixtures("root")


def read_back(raw: Path, name: str) -> tuple[list[np.ndarray], np.ndarray, np.ndarray]:
    """Images, points and normals that a fetch wrote for a model."""
    rendering = r2n2.rendering_folder(raw, "cabinet", name)
    images = [r2n2.read_image(path) for path in sorted(rendering.glob("*.png"))]
    return images, *read_cloud(cloud_file(raw, "cabinet", name))


@pytest.mark.parametrize("form", ["current", "xyz", "old", "++"])
def test_r2n2_with_clouds_of_pixel2mesh(form: str, world: World, tmp_path: Path):
    """From the tgz pictures and metadata byte for byte, from any form of `.dat` the cloud, its camera undone."""
    archive = formats.r2n2_tgz(world, tmp_path / "ShapeNetRendering.tgz")
    data = formats.pixel2mesh_folder(world, tmp_path / "p2m", form)
    summary = fetch(
        "cabinet",
        settings(source="r2n2", r2n2={"renders": str(archive)}, pixel2mesh={"data": str(data), **NO_LISTS}),
        tmp_path / "raw",
    )

    assert (summary["models"], summary["images"], summary["skipped"]) == (3, 3 * VIEWS, 0)
    for name in world.names:
        assert contents(r2n2.rendering_folder(tmp_path / "raw", "cabinet", name)) == contents(world.rendering(name))
        points, normals = read_cloud(cloud_file(tmp_path / "raw", "cabinet", name))
        np.testing.assert_allclose(points, world.cloud(name)[0], atol=1e-5)
        np.testing.assert_allclose(normals, world.cloud(name)[1], atol=1e-5)
    splits = read_table(tmp_path / "raw" / "splits.csv", ["list", "model", "split"])
    assert splits.to_numpy().tolist() == [
        ["r2n2", "0a1b", "train"],
        ["r2n2", "1c2d", "train"],
        ["r2n2", "2e3f", "test"],
    ]


def test_r2n2_from_a_server_and_its_lists(world: World, tmp_path: Path, server: Server):
    """The default way over the network: archives and lists, resumed after a loss, recorded for the next machine."""
    server.files["/R.tgz"] = formats.r2n2_tgz(world, tmp_path / "R.tgz").read_bytes()
    server.faults["/R.tgz"] = ["drop"]
    lines = [f"Data/ShapeNetP2M/02933112/{world.names[1]}/rendering/{view:02d}.dat\n" for view in range(5)]
    lines += [f"Data/ShapeNetP2M/02933112/{world.names[2]}/rendering/03.dat\n"]
    server.files["/test_list.txt"] = "".join(lines).encode()
    data = formats.pixel2mesh_folder(world, tmp_path / "p2m", "++")
    p = settings(
        source="r2n2",
        r2n2={"renders": f"{server.url}/R.tgz?token=s3cr3t"},
        pixel2mesh={"data": str(data), "train_list": "", "test_list": f"{server.url}/test_list.txt"},
    )
    summary = fetch("cabinet", p, tmp_path / "raw")

    splits = read_table(tmp_path / "raw" / "splits.csv", ["list", "model", "split"])
    ours = splits[splits["list"] == "pixel2mesh"]
    assert dict(zip(ours["model"], ours["split"], strict=True)) == {"0a1b": "train", "1c2d": "test", "2e3f": "train"}
    assert summary["mended"] == ["1 models had views in both of Pixel2Mesh's lists and train all of them: 2e3f"]
    assert len(read_table(tmp_path / "data" / "checksums.csv", ["address", "bytes", "sha256"])) == 2
    assert b"s3cr3t" not in b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


@pytest.mark.parametrize(("form", "images"), [("current", "same"), ("old", "cut"), ("++", "same")])
def test_pixel2mesh(form: str, images: str, world: World, tmp_path: Path):
    """Its own pictures, those inside of its `.dat` cut from white, or 3D-R2N2's; one cloud per model."""
    data = formats.pixel2mesh_folder(world, tmp_path / "p2m", form)
    renders = formats.r2n2_tgz(world, tmp_path / "R.tgz")
    p = settings(source="pixel2mesh", r2n2={"renders": str(renders)}, pixel2mesh={"data": str(data), **NO_LISTS})
    summary = fetch("cabinet", p, tmp_path / "raw")

    assert summary["models"] == 3
    for name in world.names:
        pictures, points, normals = read_back(tmp_path / "raw", name)
        np.testing.assert_allclose(points, world.cloud(name)[0], atol=1e-5)
        np.testing.assert_allclose(normals, world.cloud(name)[1], atol=1e-5)
        for view, picture in enumerate(pictures):
            original = r2n2.read_image(world.rendering(name) / r2n2.image_name(view))
            if images == "same":
                np.testing.assert_array_equal(picture, original)
            else:
                # Faint edges over white are white.
                assert ((picture[..., 3] > 0) == (original[..., 3] > 0)).mean() > 0.98
    assert ("mended" in summary) == (form == "old")


def test_pixel2mesh_takes_metadata_from_r2n2(world: World, tmp_path: Path):
    """Without metadata of its own the cameras of the renders undo its clouds; without either, the message says so."""
    data = formats.pixel2mesh_folder(world, tmp_path / "p2m", "current", metadata=False)
    p = {"source": "pixel2mesh", "pixel2mesh": {"data": str(data), **NO_LISTS}}
    fetch("cabinet", settings(**p, r2n2={"renders": str(world.raw)}), tmp_path / "raw")

    np.testing.assert_allclose(read_back(tmp_path / "raw", "0a1b")[1], world.cloud("0a1b")[0], atol=1e-5)
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match=r"metadata of none of the 3 cabinet models .* point fetch\.r2n2\.renders at"):
        fetch("cabinet", settings(**p, r2n2={"renders": str(tmp_path / "empty")}), tmp_path / "raw")


@pytest.mark.parametrize("remote", [False, True])
def test_nmr(remote: bool, world: World, tmp_path: Path, server: Server):
    """Picture and mask become RGBA, matrices our cameras, lists a split; of a remote zip only the category is sent."""
    archive = formats.nmr_zip(
        world, tmp_path / "NMR_Dataset.zip", {"NMR_Dataset/02958343/x/big": np.random.default_rng(0).bytes(3_000_000)}
    )
    server.files["/NMR_Dataset.zip"] = archive.read_bytes()
    place = f"{server.url}/NMR_Dataset.zip" if remote else str(archive)
    summary = fetch("cabinet", settings(source="nmr", nmr={"archive": place}), tmp_path / "raw")

    assert (summary["models"], summary["images"]) == (3, 3 * VIEWS)
    for name in world.names:
        pictures, points, normals = read_back(tmp_path / "raw", name)
        np.testing.assert_array_equal([points, normals], world.cloud(name))
        rendering = r2n2.rendering_folder(tmp_path / "raw", "cabinet", name)
        for view, picture in enumerate(pictures):
            np.testing.assert_array_equal(picture, r2n2.read_image(world.rendering(name) / r2n2.image_name(view)))
        cameras, expected = read_cameras(rendering), from_views(r2n2.read_views(world.rendering(name)))
        assert cameras is not None
        np.testing.assert_allclose(cameras.matrices, expected.matrices, atol=1e-9)
        np.testing.assert_allclose(cameras.focal, expected.focal)
    splits = read_table(tmp_path / "raw" / "splits.csv", ["list", "model", "split"])
    assert splits["split"].tolist() == ["train", "val", "test"]
    assert server.sent < len(server.files["/NMR_Dataset.zip"]) - 3_000_000


@pytest.mark.parametrize("version", [1, 2])
def test_shapenetcore(version: int, world: World, tmp_path: Path):
    """Both layouts are rendered here, textures found, and normals point outward though version 1 is inside out."""
    root = formats.shapenetcore_folder(world, tmp_path / "core", version)
    (root / "02933112" / "empty").mkdir()
    (root / "02933112" / "empty" / "readme.txt").write_text("no mesh here")
    p = settings(source="shapenetcore", shapenetcore={"data": str(root), "version": version})
    summary = fetch("cabinet", p, tmp_path / "raw")

    assert (summary["models"], summary["images"]) == (3, 3 * VIEWS)
    assert summary["mended"][0].startswith("1 models have no model")
    for name in world.names:
        pictures, points, normals = read_back(tmp_path / "raw", name)
        red = np.concatenate([picture[picture[..., 3] == 255] for picture in pictures]).mean(axis=0)
        assert red[0] > 2 * red[1]
        assert agreement(world, name, points, normals) > 0.9


def agreement(world: World, name: str, points: np.ndarray, normals: np.ndarray) -> float:
    """Share of points whose normal looks the same way as that of the nearest point of the generator's cloud.

    Boards are thin, and the nearest point may lie on their other side; those that stand square are left out.
    """
    theirs, theirs_normals = world.cloud(name)
    _, nearest = cKDTree(theirs).query(points, k=3)
    cosines = np.einsum("nd,nkd->nk", normals, theirs_normals[nearest])
    return float((np.abs(cosines).max(axis=1) == cosines.max(axis=1)).mean())


def test_r2n2_with_clouds_of_shapenetcore(world: World, tmp_path: Path):
    """Clouds are sampled in the coordinates of version 1, to which the cameras belong; version 2 is refused."""
    root = formats.shapenetcore_folder(world, tmp_path / "core", 1)
    core = {"data": str(root), "version": 1}
    p = {"source": "r2n2", "r2n2": {"renders": str(world.raw), "clouds": "shapenetcore"}, "pixel2mesh": NO_LISTS}
    fetch("cabinet", settings(**p, shapenetcore=core), tmp_path / "raw")

    for name in world.names:
        _, points, normals = read_back(tmp_path / "raw", name)
        distance, _ = cKDTree(world.cloud(name)[0]).query(points)
        assert distance.mean() < 0.02
        assert agreement(world, name, points, normals) > 0.9
    with pytest.raises(InputError, match="do not line up with 3D-R2N2's renders; set it to 1"):
        fetch("cabinet", settings(**p, shapenetcore=core | {"version": 2}), tmp_path / "raw")


def test_r2n2_with_clouds_of_nmr(world: World, tmp_path: Path):
    """NMR's clouds have a scale of their own and are brought to that of the renders."""
    archive = formats.nmr_zip(world, tmp_path / "NMR_Dataset.zip")
    r2n2_settings = {"renders": str(world.raw), "clouds": "nmr"}
    p = settings(source="r2n2", r2n2=r2n2_settings, nmr={"archive": str(archive)}, pixel2mesh=NO_LISTS)
    fetch("cabinet", p, tmp_path / "raw")

    box = np.ptp(read_back(tmp_path / "raw", "0a1b")[1], axis=0)
    assert np.linalg.norm(box) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("paired", [True, False])
def test_genren(paired: bool, world: World, tmp_path: Path):
    """Pictures and clouds that share a name are one model; those that do not are for training alone."""
    images, clouds = formats.genren_folders(world, tmp_path / "cabinet", paired)
    places = {"images": str(images).replace("cabinet", "{category}"), "clouds": str(clouds)}
    fetch("cabinet", settings(source="genren", genren=places), tmp_path / "raw")
    pack = {
        "img_size": 32,
        "points": 1000,
        "workers": 1,
        "split": "own",
        "train": 0.4,
        "val": 0.3,
        "test": 0.3,
        "seed": 0,
    }
    preprocess("cabinet", PreprocessParams(**pack), tmp_path / "raw", tmp_path / "store")
    store = Store.open(tmp_path / "store")

    assert (len(store.images), len(store.points)) == (3 * VIEWS, 3)
    assert (set(store.views["model"]) == set(store.models["model"])) == paired
    if not paired:
        assert set(store.views["split"]) == set(store.models["split"]) == {"train"}
    np.testing.assert_allclose(
        np.sort(store.models["scale"]),
        np.sort([1 / np.ptp(world.cloud(name)[0], axis=0).max() for name in world.names]),
        rtol=1e-6,
    )
    assert store.views["azimuth"].isna().all()
    with pytest.raises(InputError, match="does not know the cameras"):
        store.camera(np.arange(2))
