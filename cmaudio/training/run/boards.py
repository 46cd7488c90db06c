"""Experiment loggers: TensorBoard, and Weights & Biases and MLflow through Lightning's loggers.

Their packages are imported when a logger is opened, and only for those that the configuration names.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Protocol, assert_never

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.training.config import LoggerSettings, MlflowSettings, RunConfig, TensorBoardSettings, WandbSettings

_MODULES = {  # required modules, and the extra that installs them
    "tensorboard": (("tensorboard",), "train"),
    "wandb": (("wandb", "pytorch_lightning"), "wandb"),
    "mlflow": (("mlflow", "pytorch_lightning"), "mlflow"),
}
_RUN_TAG = "cmaudio.run"


class Board(Protocol):
    """Receives the reports of a run; a method may raise whatever its package raises."""

    def metrics(self, values: Mapping[str, float], step: int) -> None: ...

    def picture(self, name: str, rgb: Float, step: int) -> None:
        """An (H, W, 3) picture of values in 0..1."""
        ...

    def audio(self, name: str, samples: Float, sample_rate: int, step: int) -> None:
        """(N,) samples in -1..1."""
        ...

    def close(self, failed: bool) -> None: ...


class TensorBoard:
    """Events in a folder."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def picture(self, name: str, rgb: Float, step: int) -> None:
        self._writer.add_image(name, rgb, step, dataformats="HWC")

    def audio(self, name: str, samples: Float, sample_rate: int, step: int) -> None:
        self._writer.add_audio(name, samples[None], step, sample_rate)

    def close(self, failed: bool) -> None:
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases, resumed under the same identity. Each stage has its own step axis."""

    def __init__(self, settings: WandbSettings, folder: Path, config: RunConfig, identity: str) -> None:
        import wandb
        from pytorch_lightning.loggers import WandbLogger

        self._logger = WandbLogger(
            name=config.name,
            project=settings.project,
            save_dir=folder,
            id=identity,
            mode="online" if settings.online else "offline",
            settings=wandb.Settings(silent=True, console="off"),
        )
        self._logger.experiment.config.update(_parameters(config), allow_val_change=True)

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        self._logger.log_metrics(dict(values), step)

    def picture(self, name: str, rgb: Float, step: int) -> None:
        self._logger.log_image(name, [_to_bytes(rgb)], step)

    def audio(self, name: str, samples: Float, sample_rate: int, step: int) -> None:
        self._logger.log_audio(name, [samples], step, sample_rate=[sample_rate])

    def close(self, failed: bool) -> None:
        self._logger.experiment.finish(exit_code=int(failed))


class Mlflow:
    """A run of MLflow, found again by its tag. Pictures and sounds are artifacts, PNG and WAV files."""

    def __init__(self, settings: MlflowSettings, folder: Path, config: RunConfig, identity: str) -> None:
        from mlflow.tracking import MlflowClient
        from pytorch_lightning.loggers import MLFlowLogger

        uri = settings.uri or _local_store(folder)
        known = _mlflow_run(MlflowClient(uri), settings.experiment, identity)
        self._logger = MLFlowLogger(
            experiment_name=settings.experiment,
            run_name=config.name,
            tracking_uri=uri,
            run_id=known,
            tags={_RUN_TAG: identity},
        )
        self._logger.log_hyperparams(_parameters(config))
        self._client, self._run = self._logger.experiment, self._logger.run_id

    def metrics(self, values: Mapping[str, float], step: int) -> None:
        self._logger.log_metrics(values, step)

    def picture(self, name: str, rgb: Float, step: int) -> None:
        self._client.log_image(self._run, _to_bytes(rgb), f"{name}/{step:09d}.png")

    def audio(self, name: str, samples: Float, sample_rate: int, step: int) -> None:
        import soundfile

        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / f"{step:09d}.wav"
            soundfile.write(path, samples, sample_rate)
            self._client.log_artifact(self._run, str(path), name)

    def close(self, failed: bool) -> None:
        self._logger.finalize("failed" if failed else "success")


def check_loggers(loggers: Sequence[LoggerSettings]) -> None:
    """Raises CmaudioError that names missing packages."""
    for settings in loggers:
        modules, extra = _MODULES[settings.logger]
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            raise CmaudioError(
                f"loop.loggers: {settings.logger} needs {', '.join(missing)}, which is not installed: "
                f"pip install 'cmaudio[{extra}]', or omit {settings.logger}"
            )


def open_boards(config: RunConfig, folder: Path, identity: str) -> list[Board]:
    """Open the loggers that a configuration names.

    Args:
        config: of the run.
        folder: of the run.
        identity: of the run, under which loggers resume it.

    Raises:
        CmaudioError: one cannot be opened.
    """
    opened: list[Board] = []
    for settings in config.loop.loggers:
        try:
            opened.append(_open(settings, folder, config, identity))
        except Exception as error:  # each package, and the server behind it, has its own errors
            for board in opened:
                board.close(failed=True)
            raise CmaudioError(
                f"loop.loggers: {settings.logger} cannot be opened ({error}); correct its settings, make room in "
                f"{folder}, or omit it"
            ) from error
    return opened


def _open(settings: LoggerSettings, folder: Path, config: RunConfig, identity: str) -> Board:
    match settings:
        case TensorBoardSettings():
            return TensorBoard(folder / "log")
        case WandbSettings():
            return WeightsAndBiases(settings, folder, config, identity)
        case MlflowSettings():
            return Mlflow(settings, folder, config, identity)
        case _:
            assert_never(settings)


def _parameters(config: RunConfig) -> dict[str, Any]:
    """The settings that a resumed run cannot change."""
    return config.model_dump(mode="json", exclude={"loop", "export", "expected", "description"})


def _local_store(folder: Path) -> str:
    os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # newer versions refuse folders without it
    return (folder.resolve().parent / "mlruns").as_uri()


def _mlflow_run(client: Any, experiment: str, identity: str) -> str | None:
    """The identity that MLflow gave this run when it started."""
    found = client.get_experiment_by_name(experiment)
    if found is None:
        return None
    runs = client.search_runs([found.experiment_id], f"tags.`{_RUN_TAG}` = '{identity}'", max_results=1)
    return str(runs[0].info.run_id) if runs else None


def _to_bytes(rgb: Float) -> np.ndarray:
    return np.rint(np.clip(rgb, 0, 1) * 255).astype(np.uint8)
