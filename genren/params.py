"""Every setting of every stage: name, type, unit. Validated on reading; values are in `params.yaml` and the presets."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from genren import paths
from genren.categories import SYNSETS
from genren.errors import InputError

PRESETS = Path(__file__).parent / "presets"

Count = Annotated[int, Field(ge=1)]
Steps = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Range = tuple[float, float]
Vector = tuple[float, float, float]
Backend = Literal["auto", "warp", "kaolin"]


class Section(BaseModel):
    """A group of settings that admits neither unknown nor missing keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FetchParams(Section):
    """Where models come from and how they are rendered."""

    source: Literal["procedural", "meshes"]  # the built-in generator, or a folder of mesh files per category
    folder: str  # for meshes: holds one folder per category; for procedural: the generator's code, as a DVC dependency
    models: Count  # procedural models per category
    views: Annotated[int, Field(ge=1, le=100)]  # renders per model
    image_size: Annotated[int, Field(ge=8, le=2048)]  # pixels, square
    supersample: Annotated[int, Field(ge=1, le=8)]  # samples per pixel side
    ambient: Annotated[float, Field(ge=0, le=1)]  # share of light that comes from everywhere; 1 shows base colours
    points: Annotated[int, Field(ge=1000)]  # points of a model's oriented cloud
    seed: Steps


class PreprocessParams(Section):
    """How raw data become the packed store."""

    img_size: Annotated[int, Field(ge=8, le=1024)]  # pixels, square
    points: Annotated[int, Field(ge=1000)]  # points per cloud
    train: Fraction  # shares of the designs
    val: Fraction
    test: Fraction
    seed: Steps

    @model_validator(mode="after")
    def _shares(self) -> "PreprocessParams":
        if abs(self.train + self.val + self.test - 1) > 1e-6:
            raise ValueError(f"train + val + test must be 1, got {self.train + self.val + self.test:g}")
        return self


class ModelParams(Section):
    """Sizes and variants of the networks (method: 1.1 to 1.6)."""

    img_size: Literal[32, 64]  # input and rendered images, pixels
    texture_size: Literal[32, 64]  # UV texture image, pixels
    subdivisions: Annotated[int, Field(ge=1, le=40)]  # template: every icosahedron edge in this many pieces
    template_radius: Positive
    step_size: Positive  # displacement per unit of the deformation decoder's output
    dim_v: Count  # latent shape
    dim_xi_t: Count  # latent texture
    dim_xi_p: Count  # latent pose noise
    dim_embedding: Count  # image embedding
    hypotheses: Count  # poses per image
    point_width: Count  # first layer of the point encoder; the widest is 16 times that
    deformation_hidden: tuple[Count, ...]
    backbone_width: Count  # first stage of the ResNet-18; the last is 8 times that
    conditioning_hidden: tuple[Count, Count]  # mesh-to-texture conditioning net
    texture_hidden: tuple[Count, Count, Count]  # texture inference: unprojection branch, then the joint layers
    texture_width: Count  # first block of the texture generator
    critic_width: Count  # last block of the image and texture critics
    shape_critic_hidden: tuple[Count, Count]  # mesh branch of the shape critic
    norm: Literal["batch", "group"]  # group: no batch statistics, so an image's answer does not depend on its batch
    dropout: Annotated[float, Field(ge=0, lt=1)]  # shape encoder
    rotation: Literal["3a", "6d"]  # three angles, or the first two columns
    translation_min: Vector
    translation_max: Vector


class RenderParams(Section):
    """The differentiable renderer."""

    supersample: Annotated[int, Field(ge=1, le=4)]  # samples per pixel side
    sigmainv: Positive  # sharpness of the soft mask, per squared NDC unit
    boxlen: Positive  # reach of the soft mask, NDC
    knum: Count  # faces that influence one pixel
    backend: Backend  # auto is warp: one source for CPU and CUDA; Kaolin's needs CUDA


class RandomisedParams(Section):
    """Poses of the domain-randomised cycle: degrees and object units."""

    elevation: Range
    azimuth: Range
    translation_min: Vector
    translation_max: Vector


class StageParams(Section):
    """Lengths of the curriculum's stages, in generator steps (method: 4.1)."""

    autoencoder: Steps  # 1: shapes alone
    randomised: Steps  # 2: random poses and textures
    mode1: Steps  # + vision cycle
    mode2: Steps  # + graphics cycle, growing
    mode3: Steps  # graphics and vision cycle
    annealing: Count  # steps over which the vision cycle's weight grows to 1

    @property
    def total(self) -> int:
        """Steps of a whole run."""
        return self.autoencoder + self.randomised + self.mode1 + self.mode2 + self.mode3


class OptimParams(Section):
    """Adam and its learning rates (method: 4.3)."""

    autoencoder_lr: Positive
    autoencoder_lr_halves_at: Steps  # step of stage 1
    lr: Positive
    critic_lr: Positive
    pose_critic_lr: Positive  # the adversarial rotation predictor
    beta1: Annotated[float, Field(ge=0, lt=1)]
    beta2: Annotated[float, Field(ge=0, lt=1)]
    weight_decay: Weight
    critic_weight_decay: Weight
    ema_decay: Annotated[float, Field(ge=0, lt=1)]  # of the weights used in evaluation; 0 keeps the last ones


class WeightParams(Section):
    """Weights of the loss terms, by program and name. A term with weight 0 is not computed."""

    autoencoder: dict[str, Weight]
    randomised: dict[str, Weight]
    graphics: dict[str, Weight]
    vision: dict[str, Weight]


class TrainParams(Section):
    """One training run."""

    preset: str
    batch_size: Annotated[int, Field(ge=2)]  # images, and shapes, per step
    points: Annotated[int, Field(ge=16)]  # points drawn from a cloud, and from a mesh, per step
    projections: Count  # random directions of the sliced Wasserstein terms
    pose_buffer: Count  # remembered poses of real images
    critic_replacement: Annotated[float, Field(ge=0, le=1)]  # chance that a real image is replaced by its re-render
    checkpoint_every: Count  # steps, a multiple of log_every
    log_every: Count  # steps
    model: ModelParams
    render: RenderParams
    randomised: RandomisedParams
    stages: StageParams
    optim: OptimParams
    weights: WeightParams

    @model_validator(mode="after")
    def _whole_windows(self) -> "TrainParams":
        # Logged means must not straddle a checkpoint, or a resumed run would log others.
        if self.checkpoint_every % self.log_every:
            raise ValueError(f"checkpoint_every {self.checkpoint_every} is no multiple of log_every {self.log_every}")
        return self


class EvaluateParams(Section):
    """How a trained model is measured."""

    surface_points: Annotated[int, Field(ge=100)]  # samples of each surface
    batch_size: Count  # images per forward pass
    mean_shape_steps: Count  # gradient steps of the category's mean shape
    pictures: Count  # models shown in the report
    seed: Steps


class Params(Section):
    """The whole of params.yaml."""

    categories: tuple[str, ...]
    seeds: tuple[int, ...]
    fetch: FetchParams
    preprocess: PreprocessParams
    train: TrainParams
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


def load(path: Path | None = None) -> Params:
    """Read params.yaml (or another file), its `train` section laid over the preset it names.

    Raises InputError for a missing file, broken YAML, or unknown, missing or invalid keys.
    """
    path = path or paths.params()
    values = _read(path)
    if isinstance(values.get("train"), dict):
        values["train"] = with_preset(values["train"], str(path))
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


def with_preset(train: dict[str, Any], origin: str) -> dict[str, Any]:
    """The `train` section laid over the preset it names; unknown presets are an error that names the known ones."""
    known = sorted(file.stem for file in PRESETS.glob("*.yaml"))
    if train.get("preset") not in known:
        raise InputError(f"{origin}: train.preset is {train.get('preset')!r}; known are {', '.join(known)}")
    return _merged(_read(PRESETS / f"{train['preset']}.yaml"), train)


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
