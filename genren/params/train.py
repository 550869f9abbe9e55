"""Settings of the step `train`: the run, its curriculum, optimisers and loss weights."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genren.params.model import CriticParams, ModelParams
from genren.params.section import Count, Positive, Range, Section, Steps, Vector, Weight

Backend = Literal["auto", "warp", "kaolin"]


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
    annealing: Count  # steps over which the vision cycle's weight grows
    vision_limit: Annotated[float, Field(gt=0, le=1)]  # what it grows to; 0.999 in the original
    freeze: Steps  # main-phase steps for which encoder and decoder stay as stage 1 left them

    @property
    def total(self) -> int:
        """Steps of a whole run."""
        return self.autoencoder + self.randomised + self.mode1 + self.mode2 + self.mode3


class CriticRates(Section):
    """Learning rates of the critics, whether or not the settings have one."""

    image: Positive
    texture: Positive
    histogram: Positive
    shape: Positive
    xi_t: Positive
    pose: Positive
    rotation: Positive  # the adversarial rotation predictor


class OptimParams(Section):
    """Adam and its learning rates (method: 4.3)."""

    autoencoder_lr: Positive
    autoencoder_lr_halves_at: Steps  # step of stage 1
    lr: Positive
    critic_lrs: CriticRates
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


class EngineParams(Section):
    """How the arithmetic is done; with float32 the same numbers on any of them, but for their last digits."""

    device: Literal["auto", "cpu", "cuda"]  # auto: CUDA where there is one
    devices: Count  # processes that share a batch, one GPU each
    precision: Literal["float32", "bfloat16"]  # of convolutions and linear layers; geometry is always float32
    compile: bool  # torch.compile the networks: minutes at the start, for long runs
    channels_last: bool


class TrainParams(Section):
    """One training run."""

    preset: str
    batch_size: Annotated[int, Field(ge=2)]  # images, and shapes, per step
    image_subset: Steps  # train on so many random images of the split; 0: all
    shape_subset: Steps  # and on so many shapes
    points: Annotated[int, Field(ge=16)]  # drawn from a cloud per step
    surface_samples: Annotated[int, Field(ge=16)]  # drawn from a mesh per step
    projections: Count  # random directions of the sliced Wasserstein terms on v
    xi_t_projections: Count  # and on xi_T
    pose_buffer: Count  # remembered poses of real images
    # released: as the original computes them. exact: without its epsilons. mean: exact, and means instead of sums.
    mesh_terms: Literal["released", "exact", "mean"]
    area_floor: Weight  # of a face's squared cross product when surfaces are sampled; 1e-5 in the original
    load_autoencoder: str | None  # checkpoint whose shape encoder and decoder the run starts from
    vgg_weights: str | None  # VGG-16's state dict, for the term image_vgg
    keep_stages: bool  # keep a checkpoint after stage 1 and after stage 2
    checkpoint_every: Count  # steps, a multiple of log_every
    log_every: Count  # steps
    model: ModelParams
    critics: CriticParams
    render: RenderParams
    randomised: RandomisedParams
    stages: StageParams
    optim: OptimParams
    engine: EngineParams
    weights: WeightParams

    @model_validator(mode="after")
    def _fits(self) -> "TrainParams":
        # Logged means must not straddle a checkpoint, or a resumed run would log others.
        if self.checkpoint_every % self.log_every:
            raise ValueError(f"checkpoint_every {self.checkpoint_every} is no multiple of log_every {self.log_every}")
        if self.weights.vision.get("image_vgg", 0) > 0 and self.vgg_weights is None:
            raise ValueError("weights.vision.image_vgg needs vgg_weights, the path of VGG-16's state dict")
        if self.batch_size % self.engine.devices:
            raise ValueError(f"batch_size {self.batch_size} must be a multiple of engine.devices {self.engine.devices}")
        return self
