"""Step `preprocess`."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from genren.data import r2n2
from genren.data.clouds import cloud_file, write_cloud
from genren.data.images import resize_area
from genren.data.raw import Packed, Task, pack
from genren.data.store import Store
from genren.errors import InputError
from genren.geometry.camera import r2n2_camera
from genren.params import PreprocessParams
from genren.preprocess import PUBLISHED, preprocess
from genren.report import published as published_rows

NAMES = [f"model-{index}" for index in range(6)]


def params(**changes: Any) -> PreprocessParams:
    """Small settings."""
    return PreprocessParams(
        **{
            "img_size": 8,
            "points": 1000,
            "workers": 1,
            "split": "own",
            "train": 0.6,
            "val": 0.2,
            "test": 0.2,
            "seed": 0,
        }
        | changes
    )


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Six chairs with two noisy views each, in the layout that fetch writes; the first two are of one design."""
    root = tmp_path / "raw"
    for name in NAMES:
        rng = np.random.default_rng([*name.encode()])
        rendering = r2n2.rendering_folder(root, "chair", name)
        rendering.mkdir(parents=True)
        r2n2.write_views(rendering, r2n2.draw_views(2, rng))
        for index in range(2):
            pixels = rng.integers(0, 256, (21, 21, 4), dtype=np.uint8)
            r2n2.write_image(rendering / r2n2.image_name(index), pixels)
        points = rng.random((1500, 3)) * rng.random(3)
        write_cloud(cloud_file(root, "chair", name), points, rng.normal(size=(1500, 3)))
    rows = "".join(f"{name},{'pair' if name in NAMES[:2] else name},x\n" for name in NAMES)
    (root / "models.csv").write_text(f"model,design,source\n{rows}")
    return root


def contents(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


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


def damage(raw: Path, name: str, kind: str) -> None:
    """Damage one model."""
    rendering = r2n2.rendering_folder(raw, "chair", name)
    first, second = rendering / "00.png", rendering / "01.png"
    if kind == "truncated image":
        second.write_bytes(second.read_bytes()[:200])
    elif kind == "no alpha":
        Image.open(first).convert("RGB").save(first)
    elif kind == "sizes differ":
        Image.open(second).crop((0, 0, 20, 20)).save(second)
    elif kind == "missing image":
        second.unlink()
    elif kind == "no folder":
        shutil.rmtree(rendering.parent)
    elif kind == "no metadata":
        (rendering / "rendering_metadata.txt").unlink()
    elif kind == "no normals":
        np.savez(cloud_file(raw, "chair", name), points=np.ones((5, 3)))
    else:
        write_cloud(cloud_file(raw, "chair", name), np.ones((5, 3)), np.zeros((5, 3)))


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


def test_a_failed_run_leaves_the_old_store(raw: Path, tmp_path: Path) -> None:
    """Too few designs, only damaged models, small images or no folder: an error, and the store stays as it was."""
    out = tmp_path / "data" / "out"
    preprocess("chair", params(), raw, out)
    before = contents(out)

    with pytest.raises(InputError, match="expected at least img_size, 32"):
        preprocess("chair", params(img_size=32), raw, out)
    for name in NAMES[:4]:
        damage(raw, name, "no normals")
    with pytest.raises(InputError, match="2 models of 2 designs"):
        preprocess("chair", params(), raw, out)
    for name in NAMES[4:]:
        damage(raw, name, "missing image")
    with pytest.raises(InputError, match=r"none of the 6 chair models can be used; the first: .* has no normals"):
        preprocess("chair", params(), raw, out)
    with pytest.raises(InputError, match=r"does not exist; .* fetch sofa first"):
        preprocess("sofa", params(), raw, out)

    assert before == contents(out)
    assert [path.name for path in out.parent.iterdir()] == ["out"]


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


@pytest.fixture
def many(raw: Path) -> Path:
    """Forty chairs, enough for processes to be worth it if that is set low, one of them damaged."""
    for index in range(34):
        for path in (r2n2.rendering_folder(raw, "chair", NAMES[0]).parent, cloud_file(raw, "chair", NAMES[0]).parent):
            shutil.copytree(path, path.with_name(f"more-{index:02d}"))
    (raw / "models.csv").unlink()
    damage(raw, "more-05", "truncated image")
    return raw


def test_processes_change_nothing(many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers write the bytes that one writes, but for their own number in the settings."""
    monkeypatch.setattr("genren.preprocess.pool.WORTH_IT", 10)
    for workers in (1, 2):
        preprocess("chair", params(workers=workers), many, tmp_path / str(workers))
    one, two = contents(tmp_path / "1"), contents(tmp_path / "2")

    assert one.pop("store.json") == two.pop("store.json").replace(b'"workers": 2', b'"workers": 1')
    assert one == two


@pytest.mark.parametrize("tear", [False, True])
def test_an_interrupted_run_continues_and_ends_identical(
    tear: bool, many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was packed before is not read again; also where the crash tore the last line and row apart."""
    preprocess("chair", params(), many, tmp_path / "whole")
    packed: list[str] = []

    def stopping(task: Task) -> Packed | str:
        if len(packed) == 20:
            raise KeyboardInterrupt
        packed.append(task.name)
        return pack(task)

    def counting(task: Task) -> Packed | str:
        packed.append(task.name)
        return pack(task)

    monkeypatch.setattr("genren.preprocess.pool.pack", stopping)
    with pytest.raises(KeyboardInterrupt):
        preprocess("chair", params(), many, tmp_path / "resumed")
    assert not (tmp_path / "resumed").exists()
    if tear:
        partial = tmp_path / ".resumed.partial"
        journal = (partial / "journal.jsonl").read_bytes()
        (partial / "journal.jsonl").write_bytes(journal[:-30])
        with (partial / "images.npy").open("ab") as stream:
            stream.write(b"half a row")
    monkeypatch.setattr("genren.preprocess.pool.pack", counting)
    preprocess("chair", params(), many, tmp_path / "resumed")

    assert len(packed) == 40 + tear
    assert contents(tmp_path / "resumed") == contents(tmp_path / "whole")
    assert {path.name for path in tmp_path.iterdir()} == {"raw", "whole", "resumed"}


def test_another_question_does_not_continue_the_old_answer(
    many: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half a store of other settings or other raw data is thrown away."""
    monkeypatch.setattr("genren.preprocess.pool.pack", lambda _: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        preprocess("chair", params(), many, tmp_path / "out")
    monkeypatch.undo()
    preprocess("chair", params(seed=1), many, tmp_path / "out")
    preprocess("chair", params(seed=1), many, tmp_path / "other")

    assert contents(tmp_path / "out") == contents(tmp_path / "other")


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
