"""Settings of the step `baseline`."""

from typing import Annotated

from pydantic import Field

from genren.params.section import Count, Positive, Section, Steps


class BaselineParams(Section):
    """The WGAN-GP image generator that renders are held against."""

    steps: Steps  # of the generator; 0 leaves the baseline out
    critic_steps: Count  # of the critic, per step of the generator
    batch_size: Annotated[int, Field(ge=2)]  # images
    noise: Count  # latent dimensions
    width: Annotated[int, Field(ge=16)]  # channels of the widest block, of generator and critic alike
    lr: Positive  # Adam
    beta1: Annotated[float, Field(ge=0, lt=1)]
    beta2: Annotated[float, Field(ge=0, lt=1)]
    checkpoint_every: Count  # steps
