"""What every group of settings shares: types with their bounds, and no unknown or missing keys."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Count = Annotated[int, Field(ge=1)]
Steps = Annotated[int, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Weight = Annotated[float, Field(ge=0)]
Fraction = Annotated[float, Field(gt=0, lt=1)]
Range = tuple[float, float]
Vector = tuple[float, float, float]


class Section(BaseModel):
    """A group of settings that admits neither unknown nor missing keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)
