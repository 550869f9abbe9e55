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
from genren.metrics.protocols import PROTOCOLS, SURFACE_METRICS
from genren.models import checkpoint, gan
from genren.models.checkpoint import Checkpoint
from genren.models.model import GenerativeRenderer
from genren.params import EvaluateParams, TrainParams
from genren.report.records import Record

PARAMS = EvaluateParams(
    surface_points=300,
    queries=100,
    close_points=600,
    close_queries=150,
    close_views=1,
    emd_points=64,
    set_points=100,
    batch_size=3,
    mean_shape_steps=3,
    pictures=2,
    extractors=("randconv",),
    weights={},
    seed=0,
)
END = "randconv448_seed0_n8"
DISTANCES = [f"{name}_{END}" for name in ("fd", "kd")]
SHAPE = list(SURFACE_METRICS)
IMAGE = ["silhouette_iou", "rerender_l1", "psnr", "ssim"]
TO_SHAPE, SHAPE_TO_SHAPE = ({f"{name}/{way}_to_shape" for name in SHAPE} for way in ("image", "shape"))
GENERATION = {*DISTANCES, f"{DISTANCES[1]}_se"}
GENERATION |= {f"{name}_k5_{END}" for name in ("precision", "recall", "density", "coverage")}
SETS = {"mmd_cd_x1000_n4", "cov_cd_n4", "1nna_cd_n4", "jsd_28_n4"}
# Without meshes the close look has half of a cloud of 1,000.
CLOSE = {f"{name}/image_to_shape/n500" for name in SHAPE} | {"emd_exact_n64/image_to_shape"}
for protocol in ("aligned", "unicorn"):
    CLOSE |= {f"{name}/image_to_shape/{protocol}" for name in PROTOCOLS[protocol].metrics}
POSED = set()
for protocol in ("posed", "pixel2mesh", "pixel2mesh_vertices"):
    POSED |= {f"{name}/image_to_shape/{protocol}" for name in PROTOCOLS[protocol].metrics}
POSE = {"pose_error_deg", "pose_error_deg_median", "pose_accuracy_30deg"}
MODEL = {f"hypothesis_{name}" for name in ("used", "accuracy", "calibration_error")}
MODEL |= {"pose_error_deg_best_hypothesis", "view_consistency_l1", *IMAGE}


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
    assert set(record.metrics) == TO_SHAPE | SHAPE_TO_SHAPE | CLOSE | POSED | POSE | MODEL | GENERATION | SETS
    assert all(value is not None for value in record.metrics.values())
    assert 0 < (record.metrics["silhouette_iou"] or 0) < 1


def test_baselines_have_the_metrics_that_they_can_have(measured: Path):
    """A constant has no pose and no re-render, an image's neighbour encodes no cloud; the untrained has everything."""
    record = Record.model_validate_json((measured / "metrics.json").read_text())

    assert list(record.baselines) == ["untrained", "template", "mean_shape", "nearest_image", "oracle"]
    assert set(record.baselines["untrained"]) == set(record.metrics)
    for name in ("template", "mean_shape", "oracle"):
        assert set(record.baselines[name]) == TO_SHAPE | SHAPE_TO_SHAPE | CLOSE
    assert set(record.baselines["nearest_image"]) == TO_SHAPE | CLOSE | POSE | POSED - {
        f"{name}/image_to_shape/pixel2mesh_vertices" for name in PROTOCOLS["pixel2mesh_vertices"].metrics
    }
    # They answer with real shapes, everyone else with deformed spheres that nobody trained; the oracle knows the truth.
    name = "chamfer_l1/image_to_shape"
    systems = {system: values[name] or 0 for system, values in record.systems().items() if name in values}
    assert sorted(systems, key=systems.__getitem__)[:2] == ["oracle", "nearest_image"]


def test_the_floor_is_below_everything(measured: Path):
    """What two samples of one surface differ by is the least that any reconstruction can, under every protocol."""
    record = Record.model_validate_json((measured / "metrics.json").read_text())

    protocols = {f"{m}/resampled/{p}" for p in ("pixel2mesh", "unicorn") for m in PROTOCOLS[p].metrics}
    shapes = {f"{name}/resampled{end}" for name in SHAPE for end in ("", "/n500")} | {"emd_exact_n64/resampled"}
    assert set(record.floor) == shapes | protocols | GENERATION | SETS
    others = [record.metrics, *record.baselines.values()]
    for name, end in (
        ("chamfer_l1", ""),
        ("chamfer_l1", "/n500"),
        ("emd_exact_n64", ""),
        ("chamfer_l1_x10", "/unicorn"),
    ):
        floor = record.floor[f"{name}/resampled{end}"] or 0
        assert 0 < floor < min(values[f"{name}/image_to_shape{end}"] or 0 for values in others)
    assert (record.floor[DISTANCES[0]] or 0) < (record.metrics[DISTANCES[0]] or 0)


def test_means_have_intervals_that_hold_them(measured: Path):
    """Every mean over models lies in its 95 % interval; numbers of a whole set, which no model owns, have none."""
    record = Record.model_validate_json((measured / "metrics.json").read_text())

    for system, intervals in record.intervals.items():
        values = record.systems()[system]
        for name, bounds in intervals.items():
            assert bounds is not None
            assert bounds[0] - 1e-9 <= (values[name] or 0) <= bounds[1] + 1e-9, (system, name)
    assert record.intervals["model"].keys() == TO_SHAPE | SHAPE_TO_SHAPE | CLOSE | POSED | MODEL - {
        f"hypothesis_{name}" for name in ("used", "accuracy", "calibration_error")
    } | POSE - {"pose_error_deg_median"}
    # Models have equally many views here: both means are one.
    assert record.over_views["model"] == pytest.approx(
        {name: record.metrics[name] for name in record.over_views["model"]}
    )


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
        "queries": 100,
        "close_points": 500,
        "close_views": 4,
        "watertight_models": 0,
        "resize": "none",
        "extractor_sha256": "none",
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
        assert rows[name].mean() == pytest.approx(metrics[name], rel=1e-6)


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
    for name in ("template", "mean_shape", "nearest_image", "oracle"):
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


def test_true_meshes_make_the_close_look_dense_and_give_volumes(measured: Path, tiny_store: Path, tmp_path: Path):
    """With the folder of `fetch` the surfaces come from meshes, as densely as asked for, in the clouds' own frame."""
    trained = checkpoint.load(measured / "model.safetensors")
    raw = tiny_store.parent / "raw"
    result = evaluate(trained, tiny_store, PARAMS, tmp_path / "metrics.json", tmp_path / "samples", raw)

    assert result["comparable"]["close_points"] == 600
    # Were the meshes in another frame than the clouds, the oracle's answers would be far from their own truth.
    oracle = result["baselines"]["oracle"]
    assert oracle["chamfer_l1/image_to_shape/n600"] == pytest.approx(oracle["chamfer_l1/image_to_shape"], rel=0.25)
    volume = result["metrics"].get("volume_iou/image_to_shape")
    assert (volume is not None) == (result["comparable"]["watertight_models"] > 0)


def test_an_image_generator_stands_in_the_table_of_images(measured: Path, tiny_store: Path, tmp_path: Path):
    """The baseline that makes images alone has their distances and nothing of shapes; one of chairs is refused."""
    trained = checkpoint.load(measured / "model.safetensors")
    torch.manual_seed(0)
    gan.save(tmp_path / "gan.safetensors", gan.ImageGenerator(8, 16, 32), "cabinet", 0, 1)
    result = evaluate(
        trained, tiny_store, PARAMS, tmp_path / "m.json", tmp_path / "samples", gan=tmp_path / "gan.safetensors"
    )

    assert set(result["baselines"]["gan"]) == GENERATION
    gan.save(tmp_path / "gan.safetensors", gan.ImageGenerator(8, 16, 32), "chair", 0, 1)
    with pytest.raises(InputError, match="makes 'chair' images of 32 pixels, expected 'cabinet'"):
        evaluate(trained, tiny_store, PARAMS, tmp_path / "m.json", tmp_path / "s", gan=tmp_path / "gan.safetensors")


def test_an_extractor_without_weights_is_absent_and_named(measured: Path, tiny_store: Path, tmp_path: Path):
    """No other extractor takes the name of FID: the key is missing, and the file says why."""
    trained = checkpoint.load(measured / "model.safetensors")
    asked = PARAMS.model_copy(update={"extractors": ("randconv", "inception")})
    result = evaluate(trained, tiny_store, asked, tmp_path / "metrics.json", tmp_path / "samples")

    assert not [name for name in result["metrics"] if name.startswith(("fid", "kid"))]
    assert result["comparable"]["absent"] == "inception: no weights"
    alone = PARAMS.model_copy(update={"extractors": ("inception",)})
    with pytest.raises(InputError, match=r"none of the extractors inception has its weights.*randconv"):
        evaluate(trained, tiny_store, alone, tmp_path / "metrics.json", tmp_path / "samples")
