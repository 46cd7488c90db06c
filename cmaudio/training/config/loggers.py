"""Where the metrics, spectrograms and audio of a run are logged: TensorBoard, Weights & Biases, MLflow.

A logger is given by its name, or as a section with its settings: `[tensorboard, {logger: wandb, online: true}]`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from cmaudio.strict import Strict

Label = Annotated[str, Field(min_length=1, max_length=128)]


class TensorBoardSettings(Strict):
    """Events in the folder `log` of the run."""

    logger: Literal["tensorboard"] = "tensorboard"


class WandbSettings(Strict):
    """Weights & Biases: the folder `wandb` of the run, uploaded by `wandb sync`; `online` uploads during training."""

    logger: Literal["wandb"] = "wandb"
    project: Label = "cmaudio"
    online: bool = False


class MlflowSettings(Strict):
    """MLflow: on the tracking server at `uri`; without one in the folder `mlruns` beside the run's."""

    logger: Literal["mlflow"] = "mlflow"
    experiment: Label = "cmaudio"
    uri: str | None = None


def _section(value: Any) -> Any:
    return {"logger": value} if isinstance(value, str) else value


LoggerSettings = Annotated[
    Annotated[TensorBoardSettings | WandbSettings | MlflowSettings, Field(discriminator="logger")],
    BeforeValidator(_section),
]


def _once_each(loggers: tuple[LoggerSettings, ...]) -> tuple[LoggerSettings, ...]:
    names = [settings.logger for settings in loggers]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{', '.join(twice)} is given twice: name each logger once")
    return loggers


Loggers = Annotated[tuple[LoggerSettings, ...], AfterValidator(_once_each)]
