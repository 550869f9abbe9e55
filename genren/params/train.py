"""Settings of the step `train`: the run, its curriculum, optimisers and loss weights."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genren.params.model import ModelParams
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
