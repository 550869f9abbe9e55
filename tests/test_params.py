"""Settings: what is accepted, and what an error says."""

from pathlib import Path

import pytest
import yaml

from genren import params
from genren.errors import InputError

ROOT = Path(__file__).parents[1]


def changed(tmp_path: Path, **sections: object) -> Path:
    """A copy of the project's params.yaml with some keys replaced; a dict is laid over its section."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    for name, value in sections.items():
        values[name] = values[name] | value if isinstance(value, dict) else value
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    return tmp_path / "params.yaml"


@pytest.mark.parametrize("preset", [path.stem for path in params.PRESETS.glob("*.yaml")])
def test_every_preset_is_complete(tmp_path: Path, preset: str):
    """The project's own settings load with every preset."""
    assert params.load(changed(tmp_path, train={"preset": preset})).train.preset == preset


def test_a_key_in_params_wins_over_the_preset(tmp_path: Path):
    """Single settings are changed without copying the preset."""
    path = changed(tmp_path, train={"preset": "mini", "batch_size": 3, "model": {"dim_v": 5}})

    loaded = params.load(path).train

    assert (loaded.batch_size, loaded.model.dim_v) == (3, 5)
    assert loaded.model.hypotheses == params.load(ROOT / "params.yaml").train.model.hypotheses


def test_an_unknown_key_is_an_error_that_names_the_known_ones(tmp_path: Path):
    """A misspelt key is found at any depth."""
    with pytest.raises(InputError, match=r"unknown key 'fetch\.modles' \(known: source, folder, models, views"):
        params.load(changed(tmp_path, fetch={"modles": 3}))
    with pytest.raises(InputError, match=r"unknown key 'train\.model\.with' \(known: img_size, eye, template"):
        params.load(changed(tmp_path, train={"preset": "mini", "model": {"with": 3}}))


def test_a_missing_key_is_an_error_that_names_it(tmp_path: Path):
    """Nothing has a silent default."""
    values = yaml.safe_load((ROOT / "params.yaml").read_text())
    del values["evaluate"]["seed"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))

    with pytest.raises(InputError, match=r"missing key 'evaluate\.seed'"):
        params.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"categories": ["cabinte"]}, r"\['cabinte'\]; known are airplane, bench, cabinet"),
        ({"categories": []}, "categories are empty"),
        ({"train": {"preset": "huge"}}, r"train\.preset is 'huge'; known are mini"),
        ({"fetch": {"source": "internet"}}, r"fetch\.source: .*'procedural', 'meshes', 'r2n2'"),
        ({"fetch": {"views": 0}}, r"fetch\.views: .*greater than or equal to 1, got 0"),
        ({"preprocess": {"test": 0.5}}, r"train \+ val \+ test must be 1, got 1\.3"),
    ],
)
def test_bad_values_say_what_would_work(tmp_path: Path, section: dict[str, object], message: str):
    """Each bad value is named with what was found and what is known."""
    with pytest.raises(InputError, match=message):
        params.load(changed(tmp_path, **section))


def test_missing_and_broken_files_are_named(tmp_path: Path):
    """No file, and a file that is not YAML or no mapping, are errors in one sentence."""
    with pytest.raises(InputError, match=r"nowhere\.yaml does not exist"):
        params.load(tmp_path / "nowhere.yaml")
    for text, message in (("a: [1", "not valid YAML"), ("- 1", "holds list, expected a mapping")):
        (tmp_path / "params.yaml").write_text(text)
        with pytest.raises(InputError, match=message):
            params.load(tmp_path / "params.yaml")


def test_a_preset_lies_over_its_base():
    """`modern` is `original` with what it names replaced, section by section."""
    original, modern = (params.with_preset({"preset": name}, "tests") for name in ("original", "modern"))

    assert (original["model"]["rotation"], modern["model"]["rotation"]) == ("3a", "6d")
    assert original["model"]["dim_v"] == modern["model"]["dim_v"] == 64
    assert modern["weights"]["vision"]["shape_adversarial"] == original["weights"]["vision"]["shape_adversarial"]


def test_the_original_has_a_set_of_its_own_for_airplanes():
    """The planes set differs where published (method: 7), chairs have BASE, and presets above do not inherit it."""
    plane, chair = (params.with_preset({"preset": "original"}, "tests", c) for c in ("airplane", "chair"))
    modern = params.with_preset({"preset": "modern"}, "tests", "airplane")

    assert chair == params.with_preset({"preset": "original"}, "tests")
    assert (plane["model"]["dim_v"], plane["model"]["learn_template"]) == (128, True)
    assert (plane["weights"]["vision"]["image_l1"], chair["weights"]["vision"]["image_l1"]) == (100, 40)
    assert plane["weights"]["graphics"]["texture_cycle"] == 10
    assert plane["weights"]["graphics"]["chamfer"] == chair["weights"]["graphics"]["chamfer"] == 2000
    assert modern["model"]["template"] == "sphere"


def test_settings_can_differ_by_category(tmp_path: Path):
    """`train.categories` in params.yaml wins for its category, over the preset and over `train`."""
    train = {"preset": "original", "batch_size": 8, "categories": {"airplane": {"batch_size": 4}}}
    path = changed(tmp_path, train=train)

    assert params.load(path, "airplane").train.batch_size == 4
    assert params.load(path, "airplane").train.model.dim_v == 128
    assert params.load(path, "chair").train.batch_size == params.load(path).train.batch_size == 8


@pytest.mark.parametrize(
    ("over", "message"),
    [
        ({"weights": {"vision": {"image_vgg": 1.0}}}, "image_vgg needs vgg_weights"),
        ({"engine": {"devices": 3}, "batch_size": 8}, "batch_size 8 must be a multiple of engine.devices 3"),
        ({"log_every": 30, "checkpoint_every": 100}, "checkpoint_every 100 is no multiple of log_every 30"),
        ({"preset": "modern", "model": {"template": "x.obj"}}, "seamless is for the sphere's"),
    ],
)
def test_settings_that_do_not_fit_together_are_named(tmp_path: Path, over: dict[str, object], message: str):
    """Contradictions are found when settings are read, not after an hour of training."""
    with pytest.raises(InputError, match=message):
        params.load(changed(tmp_path, train={"preset": "original"} | over))
