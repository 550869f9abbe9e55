"""Every setting of every stage: name, type, unit. Values are in `params.yaml` and the presets."""

from genren.params.baseline import BaselineParams
from genren.params.data import DownloadParams, FetchParams, PreprocessParams
from genren.params.evaluate import EvaluateParams, WeightsFile
from genren.params.load import PRESETS, Params, load, parse, with_preset
from genren.params.model import CriticParams, ModelParams
from genren.params.section import Section
from genren.params.train import (
    Backend,
    EngineParams,
    OptimParams,
    RandomisedParams,
    RenderParams,
    StageParams,
    TrainParams,
    WeightParams,
)

__all__ = [
    "PRESETS",
    "Backend",
    "BaselineParams",
    "CriticParams",
    "DownloadParams",
    "EngineParams",
    "EvaluateParams",
    "FetchParams",
    "ModelParams",
    "OptimParams",
    "Params",
    "PreprocessParams",
    "RandomisedParams",
    "RenderParams",
    "Section",
    "StageParams",
    "TrainParams",
    "WeightParams",
    "WeightsFile",
    "load",
    "parse",
    "with_preset",
]
