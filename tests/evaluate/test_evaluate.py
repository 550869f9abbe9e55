"""Step `evaluate`: one JSON that says everything, the same every time, or nothing changed."""

import json
import sys
from pathlib import Path

import pandas as pd
import pytest
import torch

from genren.data.store import Store
from genren.errors import InputError
from genren.evaluate import evaluate
from genren.geometry.meshfile import load_mesh
from genren.models import checkpoint
from genren.models.checkpoint import Checkpoint
from genren.models.model import GenerativeRenderer
from genren.params import EvaluateParams, TrainParams
from genren.report.records import Record

PARAMS = EvaluateParams(surface_points=300, batch_size=3, mean_shape_steps=3, pictures=2, seed=0)
DISTANCES = [f"{name}_randconv448_seed0_n8" for name in ("fd", "kd")]
SHAPE = ["chamfer_l1", "chamfer_l2_x1000", "fscore_1e-4", "fscore_2e-4", "fscore_4e-4"]
IMAGE = ["silhouette_iou", "rerender_l1", "psnr"]
TO_SHAPE, SHAPE_TO_SHAPE = ({f"{name}/{way}_to_shape" for name in SHAPE} for way in ("image", "shape"))
GENERATION = {*DISTANCES, f"{DISTANCES[1]}_se"}


def made(folder: Path, params: TrainParams, category: str = "cabinet") -> Checkpoint:
    """A checkpoint of a tiny random model."""
    torch.manual_seed(5)
    checkpoint.save(folder / "model.safetensors", GenerativeRenderer(params.model), category, 7, 10, params)
    return checkpoint.load(folder / "model.safetensors")


@pytest.fixture(scope="module")
def measured(tiny_params: TrainParams, tiny_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the checkpoint, the metrics and the samples of one evaluation."""
    folder = tmp_path_factory.mktemp("evaluate")
    evaluate(made(folder, tiny_params), tiny_store, PARAMS, folder / "metrics.json", folder / "samples")
    return folder


def test_the_metrics_file_is_what_the_report_reads(measured: Path):
    """The agreed layout: what is measured, beside what, and nothing else, under names that say how."""
    record = Record.model_validate_json((measured / "metrics.json").read_text())

    assert (record.category, record.seed) == ("cabinet", 7)
    assert set(record.metrics) == TO_SHAPE | SHAPE_TO_SHAPE | {*IMAGE} | GENERATION
    assert all(value is not None for value in record.metrics.values())
    assert 0 < (record.metrics["silhouette_iou"] or 0) < 1


def test_baselines_have_the_metrics_that_they_can_have(measured: Path):
    """A constant shape has no re-render, an image's neighbour encodes no cloud; the untrained model has everything."""
    record = Record.model_validate_json((measured / "metrics.json").read_text())

    assert list(record.baselines) == ["untrained", "mean_shape", "nearest_image"]
    assert set(record.baselines["untrained"]) == set(record.metrics)
    assert set(record.baselines["mean_shape"]) == TO_SHAPE | SHAPE_TO_SHAPE
    assert set(record.baselines["nearest_image"]) == TO_SHAPE
    # It answers with real shapes, everyone else with deformed spheres that nobody trained.
    name = "chamfer_l1/image_to_shape"
    systems = {system: values[name] or 0 for system, values in record.systems().items() if name in values}
    assert min(systems, key=systems.__getitem__) == "nearest_image"


def test_the_floor_is_below_everything(measured: Path):
    """What two samples of one surface differ by is the least that any reconstruction can."""
    record = Record.model_validate_json((measured / "metrics.json").read_text())

    assert set(record.floor) == {f"{name}/resampled" for name in SHAPE} | GENERATION
    floor = record.floor["chamfer_l1/resampled"] or 0
    others = [record.metrics, *record.baselines.values()]
    assert 0 < floor < min(values["chamfer_l1/image_to_shape"] or 0 for values in others)
    assert (record.floor[DISTANCES[0]] or 0) < (record.metrics[DISTANCES[0]] or 0)


def test_the_file_says_what_makes_its_numbers_comparable(measured: Path, tiny_store: Path):
    """Counts are those of the test split; extractor, samples, frame, seed and run are named."""
    store = Store.open(tiny_store)
    comparable = json.loads((measured / "metrics.json").read_text())["comparable"]

    expected = {
        "split": "test",
        "models": len(store.clouds_of("test")),
        "images": len(store.images_of("test")),
        "image_size": 32,
        "surface_points": 300,
        "extractor": "randconv448_seed0",
        "seed": 0,
        "preset": "mini",
        "steps": 10,
    }
    assert expected.items() <= comparable.items()
    assert {"frame", "background", "code_version"} <= comparable.keys()


def test_rows_are_the_models_and_their_mean_is_the_metric(measured: Path, tiny_store: Path):
    """One row a test model, not a view; the headline number is their mean, so that a bad model can be found."""
    store = Store.open(tiny_store)
    rows = pd.read_csv(measured / "samples" / "rows.csv", dtype={"model": str})
    metrics = json.loads((measured / "metrics.json").read_text())["metrics"]

    assert sorted(rows["model"]) == sorted(store.models["model"].iloc[store.clouds_of("test")])
    for name in TO_SHAPE | SHAPE_TO_SHAPE:
        assert rows[name].mean() == pytest.approx(metrics[name], rel=1e-6)
    for name in IMAGE:
        assert rows[f"{name}/rerender"].mean() == pytest.approx(metrics[name], rel=1e-6)


def test_samples_can_be_looked_at(measured: Path):
    """Two reconstructions with input, re-render, views and mesh, and two generations."""
    names = ["00_input.png", "00_rerender.png", "00_views.png", "00.glb"]
    names += [name.replace("00", "01", 1) for name in names]

    samples = measured / "samples"
    assert sorted(path.name for path in (samples / "reconstructions").iterdir()) == sorted(names)
    generated = {path.name for path in (samples / "generations").iterdir()}
    assert generated == {f"0{i}{end}" for i in (0, 1) for end in ("_render.png", "_views.png", ".glb")}
    assert len(load_mesh(samples / "generations" / "01.glb").faces) == 80


def test_the_same_seed_gives_the_same_file(measured: Path, tiny_store: Path):
    """Measuring again gives every digit and every row again; other random samples give others."""
    trained = checkpoint.load(measured / "model.safetensors")
    evaluate(trained, tiny_store, PARAMS, measured / "again.json", measured / "again")
    reseeded = PARAMS.model_copy(update={"seed": 1})
    evaluate(trained, tiny_store, reseeded, measured / "other.json", measured / "other")

    whole = (measured / "metrics.json").read_bytes()
    assert (measured / "again.json").read_bytes() == whole
    assert (measured / "again" / "rows.csv").read_bytes() == (measured / "samples" / "rows.csv").read_bytes()
    one, other = json.loads(whole), json.loads((measured / "other.json").read_text())
    assert all(one[part] != other[part] for part in ("metrics", "floor"))


def test_constant_baselines_do_not_depend_on_the_model(
    measured: Path, tiny_params: TrainParams, tiny_store: Path, tmp_path: Path
):
    """Models that draw more or fewer random numbers are held against the same mean shape and the same neighbours."""
    wider = tiny_params.model_copy(update={"model": tiny_params.model.model_copy(update={"dim_xi_t": 9})})
    one = json.loads((measured / "metrics.json").read_text())
    other = evaluate(made(tmp_path, wider), tiny_store, PARAMS, tmp_path / "metrics.json", tmp_path / "samples")

    assert one["metrics"] != other["metrics"]
    for name in ("mean_shape", "nearest_image"):
        assert one["baselines"][name] == other["baselines"][name]


def test_a_model_of_another_category_is_refused(tiny_params: TrainParams, tiny_store: Path, tmp_path: Path):
    """A chair's model is not measured on cabinets, and nothing is written."""
    chair = made(tmp_path, tiny_params, "chair")

    with pytest.raises(InputError, match=r"holds 'cabinet', the checkpoint is of 'chair'"):
        evaluate(chair, tiny_store, PARAMS, tmp_path / "out" / "metrics.json", tmp_path / "out" / "samples")

    assert not (tmp_path / "out").exists()


def test_images_of_another_size_are_refused(tiny_params: TrainParams, tiny_store: Path, tmp_path: Path):
    """The networks would take them, and give a number of another resolution without a word."""
    larger = tiny_params.model_copy(update={"model": tiny_params.model.model_copy(update={"img_size": 64})})

    with pytest.raises(InputError, match=r"images of 32 pixels, the checkpoint is for 64.*preprocess\.img_size"):
        evaluate(made(tmp_path, larger), tiny_store, PARAMS, tmp_path / "metrics.json", tmp_path / "samples")


def test_more_points_than_there_are_are_refused(measured: Path, tiny_store: Path, tmp_path: Path):
    """The floor needs as many other samples of each surface as are measured; the sentence names both numbers."""
    greedy = PARAMS.model_copy(update={"surface_points": 501})
    trained = checkpoint.load(measured / "model.safetensors")

    with pytest.raises(InputError, match=r"surface_points is 501, the store has 1000 .*raise preprocess\.points"):
        evaluate(trained, tiny_store, greedy, tmp_path / "metrics.json", tmp_path / "samples")


def test_a_failing_evaluation_leaves_the_last_result(
    measured: Path, tiny_store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """Numbers and pictures of an earlier run survive one that breaks half way through its pictures."""
    (tmp_path / "samples").mkdir()
    (tmp_path / "samples" / "old").touch()
    (tmp_path / "metrics.json").write_text("old")
    trained = checkpoint.load(measured / "model.safetensors")

    def fail(folder: Path, *_: object) -> None:
        folder.mkdir()
        raise MemoryError

    monkeypatch.setattr(sys.modules["genren.evaluate.evaluate"], "write_pictures", fail)
    with pytest.raises(MemoryError):
        evaluate(trained, tiny_store, PARAMS, tmp_path / "metrics.json", tmp_path / "samples")

    assert (tmp_path / "metrics.json").read_text() == "old"
    assert [path.name for path in (tmp_path / "samples").iterdir()] == ["old"]
    assert len(list(tmp_path.iterdir())) == 2
