"""Step `preprocess`: what the store holds, how it is split, and what is left out of it."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from genren.data import r2n2
from genren.data.clouds import cloud_file, write_cloud
from genren.data.images import resize_area
from genren.data.store import Store
from genren.errors import InputError
from genren.geometry.camera import r2n2_camera
from genren.preprocess import PUBLISHED, preprocess
from genren.report import published as published_rows
from tests.conftest import contents
from tests.preprocess.chairs import NAMES, damage, params


def test_the_store_holds_what_the_raw_folder_held(raw: Path, tmp_path: Path) -> None:
    """Row by row, images are the shrunk renders, views their metadata, clouds canonical with the way back."""
    info = preprocess("chair", params(), raw, tmp_path / "out")
    store = Store.open(tmp_path / "out")

    assert (store.images.shape, store.points.shape) == ((12, 8, 8, 4), (6, 1000, 3))
    for row, view in store.views.iterrows():
        rendering = r2n2.rendering_folder(raw, "chair", view["model"])
        pixels = r2n2.read_image(rendering / r2n2.image_name(view["view"]))
        np.testing.assert_array_equal(store.images[row], resize_area(pixels, 8))
        assert view["azimuth"] == r2n2.read_views(rendering).azimuth[view["view"]]
    for row, model in store.models.iterrows():
        with np.load(cloud_file(raw, "chair", model["model"])) as cloud:
            box = cloud["points"].min(0), cloud["points"].max(0)
        center = model[["center_x", "center_y", "center_z"]].to_numpy(float)
        np.testing.assert_allclose(center, (box[0] + box[1]) / 2, atol=1e-6)
        assert model["scale"] == pytest.approx(1 / (box[1] - box[0]).max(), rel=1e-5)
        assert np.abs(store.points[row]).max() <= 0.5 + 1e-6
        np.testing.assert_allclose(np.linalg.norm(store.normals[row], axis=1), 1, atol=1e-5)
    assert info == store.info == json.loads((tmp_path / "out" / "store.json").read_text())


def test_splits_follow_designs_never_views(raw: Path, tmp_path: Path) -> None:
    """Each model's views share its split, models of one design too, and all counts agree."""
    info = preprocess("chair", params(), raw, tmp_path / "out")
    store = Store.open(tmp_path / "out")

    assert (store.views.groupby("model")["split"].nunique() == 1).all()
    assert (store.models.groupby("design")["split"].nunique() == 1).all()
    assert store.models.set_index("model")["split"].to_dict() == store.views.groupby("model")["split"].first().to_dict()
    for split in ("train", "val", "test"):
        assert info["models"][split] == len(store.clouds_of(split)) > 0
        assert info["images"][split] == len(store.images_of(split)) == 2 * info["models"][split]
    assert sum(info["designs"].values()) == 5


def test_an_archive_without_a_table_is_split_by_model(raw: Path, tmp_path: Path) -> None:
    """A downloaded archive has no models.csv: every model is a design of its own."""
    (raw / "models.csv").unlink()

    assert sum(preprocess("chair", params(), raw, tmp_path / "out")["designs"].values()) == 6


def test_preprocessing_twice_gives_the_same_bytes(raw: Path, tmp_path: Path) -> None:
    """The same input and seed give the same store, another seed another one."""
    for name, seed in {"one": 0, "two": 0, "other": 1}.items():
        preprocess("chair", params(seed=seed), raw, tmp_path / name)

    assert contents(tmp_path / "one") == contents(tmp_path / "two")
    assert contents(tmp_path / "one")["points.npy"] != contents(tmp_path / "other")["points.npy"]


REASONS = {
    "truncated image": "01.png cannot be decoded",
    "no alpha": "00.png has the mode RGB",
    "sizes differ": "01.png is 20x20 pixels; expected an RGBA PNG of 21x21",
    "missing image": "01.png does not exist",
    "no folder": "rendering_metadata.txt does not exist",
    "no metadata": "rendering_metadata.txt does not exist",
    "no normals": "has no normals, only points",
    "no usable point": "pointcloud.npz: the cloud has no usable point",
}


@pytest.mark.parametrize("kind", REASONS)
def test_a_damaged_model_is_skipped_counted_and_named(raw: Path, tmp_path: Path, kind: str) -> None:
    """Any damaged file leaves out its model, images and cloud, and store.json says which and why."""
    damage(raw, NAMES[3], kind)
    info = preprocess("chair", params(), raw, tmp_path / "out")
    store = Store.open(tmp_path / "out")

    assert [NAMES[3]] == [entry["model"] for entry in info["skipped"]]
    assert REASONS[kind] in info["skipped"][0]["reason"]
    assert NAMES[3] not in {*store.models["model"], *store.views["model"]}
    assert (len(store.points), len(store.images)) == (5, 10)


def test_dropped_points_are_counted(raw: Path, tmp_path: Path) -> None:
    """Points without a usable normal are left out and counted over all models."""
    for name in NAMES[:2]:
        rng = np.random.default_rng(0)
        normals = rng.normal(size=(1500, 3))
        normals[:4] = 0
        write_cloud(cloud_file(raw, "chair", name), rng.random((1500, 3)), normals)

    assert preprocess("chair", params(), raw, tmp_path / "out")["dropped_points"] == 8


def test_the_manifest_says_where_each_row_is_from(raw: Path, tmp_path: Path) -> None:
    """Source and SHA-256 of every image's and every cloud's file stand beside its row."""
    preprocess("chair", params(), raw, tmp_path / "out")
    store = Store.open(tmp_path / "out")

    assert set(store.views["source"]) == set(store.models["source"]) == {"x"}
    for _, view in store.views.iterrows():
        path = r2n2.rendering_folder(raw, "chair", view["model"]) / r2n2.image_name(view["view"])
        assert view["checksum"] == hashlib.sha256(path.read_bytes()).hexdigest()
    for _, model in store.models.iterrows():
        path = cloud_file(raw, "chair", model["model"])
        assert model["checksum"] == hashlib.sha256(path.read_bytes()).hexdigest()


def test_cameras_see_the_canonical_cloud_as_they_saw_the_raw_one(raw: Path, tmp_path: Path) -> None:
    """Points of the store through the store's cameras land where raw points land through the metadata's."""
    preprocess("chair", params(points=1500), raw, tmp_path / "out")
    store = Store.open(tmp_path / "out")
    for row, view in store.views.iterrows():
        (index,) = np.flatnonzero(store.models["model"] == view["model"])
        model = store.models.iloc[index]
        center = torch.from_numpy(model[["center_x", "center_y", "center_z"]].to_numpy(np.float32))
        points = torch.from_numpy(store.points[[index]])
        camera = store.camera(np.array([row]))
        seen = camera.project(camera.to_camera(points))
        numbers = (torch.tensor([view[name]]).float() for name in ("azimuth", "elevation", "distance_ratio"))
        original = r2n2_camera(*numbers)
        expected = original.project(original.to_camera(points / model["scale"] + center))

        torch.testing.assert_close(seen, expected, atol=1e-4, rtol=1e-4)


def test_official_splits_are_followed(raw: Path, tmp_path: Path) -> None:
    """The list that is asked for decides; what it does not have is left out and named; designs do not matter."""
    rows = [("r2n2", name, "test" if index > 3 else "train") for index, name in enumerate(NAMES)]
    rows += [("softras", name, split) for name, split in zip(NAMES, ("val", "train", "test", "train"), strict=False)]
    (raw / "splits.csv").write_text("list,model,split\n" + "".join(f"{','.join(row)}\n" for row in rows))
    for name in ("r2n2", "softras"):
        info = preprocess("chair", params(split=name), raw, tmp_path / name)
        store = Store.open(tmp_path / name)
        official = {model: split for listed, model, split in rows if listed == name}

        assert dict(zip(store.models["model"], store.models["split"], strict=True)) == official
        assert info["settings"]["split"] == name
        assert [entry["model"] for entry in info["skipped"]] == [model for model in NAMES if model not in official]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (None, "has no official list"),
        ("r2n2,model-0,train\n", r"has the lists of \['r2n2'\]"),
        ("softras,model-0,train\nsoftras,model-0,test\n", "puts model-0 into two splits"),
        ("softras,model-0,tset\n", "into none of train, val, test"),
    ],
)
def test_a_list_that_cannot_be_followed_is_named(raw: Path, tmp_path: Path, table: str | None, words: str) -> None:
    """No list, another one, and one that shares a model between splits."""
    if table is not None:
        (raw / "splits.csv").write_text(f"list,model,split\n{table}")

    with pytest.raises(InputError, match=words):
        preprocess("chair", params(split="softras"), raw, tmp_path / "out")


def test_the_store_says_what_its_data_are_called(raw: Path, tmp_path: Path):
    """Published rows stand beside results on the same data only: its name is source and split, or the published one."""
    names = []
    for source, split in (("procedural", "own"), ("pixel2mesh", "pixel2mesh")):
        (raw / "source.txt").write_text(source + "\n")
        rows = "".join(f"pixel2mesh,{name},{'test' if i % 2 else 'train'}\n" for i, name in enumerate(NAMES))
        (raw / "splits.csv").write_text("list,model,split\n" + rows)
        names.append(preprocess("chair", params(split=split), raw, tmp_path / split)["dataset"])

    published = pd.read_csv(published_rows.FILE)["data"]

    assert names == ["procedural, split own", "ShapeNetP2M test"]
    assert set(PUBLISHED.values()) <= set(published)
