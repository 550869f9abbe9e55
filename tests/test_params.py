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
    with pytest.raises(InputError, match=r"unknown key 'train\.model\.with' \(known: img_size, texture_size"):
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
