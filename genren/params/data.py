"""Settings of the steps `fetch` and `preprocess`."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from genren.params.section import Count, Fraction, Section, Steps


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
