"""Settings of the step `evaluate`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genren.params.section import Count, Section, Steps

Extractor = Literal["randconv", "inception", "dinov2"]


class WeightsFile(Section):
    """One file of pretrained weights."""

    source: str  # path or URL
    sha256: Annotated[str, Field(pattern="^[0-9a-fA-F]{64}$")]  # checked before anything is loaded


class EvaluateParams(Section):
    """How a trained model is measured."""

    surface_points: Annotated[int, Field(ge=100)]  # samples that cover each surface, for every view
    queries: Annotated[int, Field(ge=50)]  # of them, how many ask for their nearest on the other surface
    close_points: Annotated[int, Field(ge=100)]  # samples of the close look: 100,000 for F-scores that others print
    close_queries: Annotated[int, Field(ge=50)]
    close_views: Count  # views per model that get the close look
    emd_points: Annotated[int, Field(ge=10, le=2048)]  # of the earth mover's distance; time grows with the cube
    set_points: Annotated[int, Field(ge=10)]  # of each shape in MMD, COV and 1-NNA
    batch_size: Count  # images per forward pass
    mean_shape_steps: Count  # gradient steps of the category's mean shape
    pictures: Count  # models shown in the report
    extractors: tuple[Extractor, ...]  # whose features are compared; one without its weights is left out
    weights: dict[Literal["inception", "dinov2", "vgg16", "lpips"], WeightsFile]  # vgg16 and lpips together make LPIPS
    seed: Steps

    @model_validator(mode="after")
    def _fewer_queries(self) -> "EvaluateParams":
        for asking, all_of_them in (("queries", "surface_points"), ("close_queries", "close_points")):
            if getattr(self, asking) > getattr(self, all_of_them):
                raise ValueError(
                    f"{asking} is {getattr(self, asking)}, more than {all_of_them}, {getattr(self, all_of_them)}"
                )
        return self
