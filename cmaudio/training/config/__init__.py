"""Configuration of a training run: strict YAML, complete with defaults, readable without torch."""

from cmaudio.training.config.comparison import ComparisonConfig
from cmaudio.training.config.files import differences, read_config, read_strict, write_config
from cmaudio.training.config.loggers import LoggerSettings, MlflowSettings, TensorBoardSettings, WandbSettings
from cmaudio.training.config.networks import (
    NetworkSettings,
    PriorNetworkSettings,
    ProsodyNetworkSettings,
    VocoderNetworkSettings,
)
from cmaudio.training.config.run import STAGES, ExportSettings, LoopSettings, RunConfig, StartFrom
from cmaudio.training.config.stages import (
    ConsistencyStage,
    Crops,
    Distillation,
    JointStage,
    PriorStage,
    SentenceStage,
    VocoderSettings,
    VocoderStage,
)

__all__ = [
    "STAGES",
    "ComparisonConfig",
    "ConsistencyStage",
    "Crops",
    "Distillation",
    "ExportSettings",
    "JointStage",
    "LoggerSettings",
    "LoopSettings",
    "MlflowSettings",
    "NetworkSettings",
    "PriorNetworkSettings",
    "PriorStage",
    "ProsodyNetworkSettings",
    "RunConfig",
    "SentenceStage",
    "StartFrom",
    "TensorBoardSettings",
    "VocoderNetworkSettings",
    "VocoderSettings",
    "VocoderStage",
    "WandbSettings",
    "differences",
    "read_config",
    "read_strict",
    "write_config",
]
