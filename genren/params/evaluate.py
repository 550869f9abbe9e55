"""Settings of the step `evaluate`."""

from typing import Annotated

from pydantic import Field

from genren.params.section import Count, Section, Steps


class EvaluateParams(Section):
    """How a trained model is measured."""

    surface_points: Annotated[int, Field(ge=100)]  # samples of each surface
    batch_size: Count  # images per forward pass
    mean_shape_steps: Count  # gradient steps of the category's mean shape
    pictures: Count  # models shown in the report
    seed: Steps
