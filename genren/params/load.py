"""Reading params.yaml: its `train` section is laid over a preset, and everything is validated."""

from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from genren import paths
from genren.categories import SYNSETS
from genren.errors import InputError
from genren.params.baseline import BaselineParams
from genren.params.data import FetchParams, PreprocessParams
from genren.params.evaluate import EvaluateParams
from genren.params.section import Section
from genren.params.train import TrainParams

PRESETS = Path(__file__).parents[1] / "presets"


class Params(Section):
    """The whole of params.yaml."""

    categories: tuple[str, ...]
    seeds: tuple[int, ...]
    fetch: FetchParams
    preprocess: PreprocessParams
    train: TrainParams
    baseline: BaselineParams
    evaluate: EvaluateParams

    @model_validator(mode="after")
    def _known(self) -> "Params":
        unknown = [name for name in self.categories if name not in SYNSETS]
        if unknown or not self.categories:
            raise ValueError(f"categories {unknown or 'are empty'}; known are {', '.join(SYNSETS)}")
        if not self.seeds:
            raise ValueError("seeds are empty; one number is enough")
        if self.preprocess.img_size != self.train.model.img_size:
            raise ValueError(
                f"preprocess.img_size is {self.preprocess.img_size}, train.model.img_size {self.train.model.img_size};"
                " set them alike"
            )
        return self


_S = TypeVar("_S", bound=Section)


def load(path: Path | None = None, category: str | None = None) -> Params:
    """Read params.yaml (or another file), its `train` section laid over the preset it names, for a category if given.

    Raises InputError for a missing file, broken YAML, or unknown, missing or invalid keys.
    """
    path = path or paths.params()
    values = _read(path)
    if isinstance(values.get("train"), dict):
        values["train"] = with_preset(values["train"], str(path), category)
    return parse(Params, values, str(path))


def parse(section: type[_S], values: Any, origin: str) -> _S:
    """Validate `values`; the error names unknown and missing keys, the known ones, and where the values came from."""
    try:
        return section.model_validate(values)
    except ValidationError as error:
        problems = []
        for item in error.errors():
            place = ".".join(str(part) for part in item["loc"])
            if item["type"] == "extra_forbidden":
                problems.append(f"unknown key {place!r} (known: {', '.join(_known_keys(section, item['loc'][:-1]))})")
            elif item["type"] == "missing":
                problems.append(f"missing key {place!r} (known: {', '.join(_known_keys(section, item['loc'][:-1]))})")
            else:
                problems.append(f"{place}: {item['msg']}, got {item['input']!r}" if place else item["msg"])
        raise InputError(f"{origin}: " + "; ".join(problems)) from None


def _read(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text())
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; run from the project's root or set GENREN_ROOT") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path} is not valid YAML: {' '.join(str(error).split())}") from None
    if not isinstance(values, dict):
        raise InputError(f"{path} holds {type(values).__name__}, expected a mapping of settings")
    return values


def with_preset(train: dict[str, Any], origin: str, category: str | None = None) -> dict[str, Any]:
    """The `train` section laid over the preset it names; unknown presets are an error that names the known ones.

    A preset may lie over another one, its `base`. Under `categories` it may hold what differs for some of them, which
    presets laid over it do not inherit; so may the `train` section.
    """
    preset = _preset(train.get("preset"), origin)
    own = preset.pop("categories", {})
    of_category = train.get("categories", {})
    train = {key: value for key, value in train.items() if key != "categories"}
    for over in (own.get(category, {}), train, of_category.get(category, {})):
        preset = _merged(preset, over)
    return preset


def _preset(name: Any, origin: str) -> dict[str, Any]:
    """All settings of a preset, its base below it."""
    known = sorted(file.stem for file in PRESETS.glob("*.yaml"))
    if name not in known:
        raise InputError(f"{origin}: train.preset is {name!r}; known are {', '.join(known)}")
    preset = _read(PRESETS / f"{name}.yaml")
    base = preset.pop("base", None)
    if base is None:
        return preset
    below = _preset(base, str(PRESETS / f"{name}.yaml"))
    below.pop("categories", None)
    return _merged(below, preset)


def _merged(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """`over` laid over `base`, mapping by mapping."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        result[key] = _merged(base[key], value) if both else value
    return result


def _known_keys(section: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    """The keys that the section at `place` knows."""
    for part in place:
        field = section.model_fields.get(str(part))
        inner = field.annotation if field else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            break
        section = inner
    return list(section.model_fields)
