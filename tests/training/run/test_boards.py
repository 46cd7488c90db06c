"""Weights & Biases and MLflow beside TensorBoard: what reaches them, resuming, and what is said without them."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard"):
    pytest.importorskip(package)
from fixtures.toy_run import config
from rich.console import Console

from cmaudio.errors import CmaudioError
from cmaudio.training.run import boards
from cmaudio.training.run.train import train

ALONE = ["student=null", "vocoder=null", "vocoder_tuning=null", "joint=null"]


@pytest.fixture
def quiet_wandb(monkeypatch: pytest.MonkeyPatch) -> Any:
    pytest.importorskip("pytorch_lightning")
    monkeypatch.setenv("WANDB_SILENT", "true")
    return pytest.importorskip("wandb")


def train_teacher(corpus: Path, tmp_path: Path, *overrides: str) -> Path:
    train(config(tmp_path, *ALONE, *overrides), corpus, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize(
    ("loggers", "told"),
    [
        ("[tensorbord]", ["loop.loggers", "tensorbord", "tensorboard", "wandb", "mlflow"]),
        ("[wandb, {logger: wandb, online: true}]", ["loop.loggers", "wandb is given twice"]),
        ("[{logger: wandb, projct: x}]", ["loop.loggers", "projct", "project"]),
        ("[{logger: mlflow, experiment: ''}]", ["loop.loggers", "experiment"]),
        ("wandb", ["loop.loggers"]),
    ],
)
def test_mistakes_in_loggers_are_named(tmp_path: Path, loggers: str, told: list[str]) -> None:
    with pytest.raises(CmaudioError) as caught:
        config(tmp_path, f"loop.loggers={loggers}")
    for part in told:
        assert part in str(caught.value)


@pytest.mark.parametrize(
    ("logger", "missing", "remedy"),
    [
        ("wandb", "wandb", r"pip install 'cmaudio\[wandb\]'"),
        ("wandb", "pytorch_lightning", r"pip install 'cmaudio\[wandb\]'"),
        ("mlflow", "mlflow", r"pip install 'cmaudio\[mlflow\]'"),
    ],
)
def test_a_missing_package_is_named_before_anything_is_written(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, logger: str, missing: str, remedy: str
) -> None:
    monkeypatch.setattr(boards, "find_spec", lambda name: None if name == missing else object())
    with pytest.raises(CmaudioError, match=rf"{logger} needs {missing}, which is not installed: {remedy}"):
        train_teacher(corpus, tmp_path, f"loop.loggers=[{logger}]")
    assert not (tmp_path / "run").exists()


def test_without_loggers_the_metrics_are_in_the_folder_alone(corpus: Path, tmp_path: Path) -> None:
    run = train_teacher(corpus, tmp_path, "loop.loggers=[]")
    assert not (run / "log").exists()
    assert (run / "figures.jsonl").read_text()


def test_a_run_reaches_weights_and_biases_and_is_resumed_there(corpus: Path, tmp_path: Path, quiet_wandb: Any) -> None:
    chosen = "loop.loggers=[tensorboard, {logger: wandb, project: toys}]"
    run = train_teacher(corpus, tmp_path, chosen)
    first = list((run / "wandb").glob("offline-run-*"))
    assert len(first) == 1
    train_teacher(corpus, tmp_path, chosen)
    identity = json.loads((run / "run.json").read_text())["id"]
    assert {path.name.rpartition("-")[2] for path in (run / "wandb").glob("offline-run-*")} == {identity}
    pictures = list(first[0].rglob("*.png"))
    assert pictures
    assert list((run / "log").glob("events.*"))
    data = next(first[0].glob("*.wandb")).read_bytes()
    for name in (b"teacher/network/loss", b"toys", b"learning_rate"):
        assert name in data


def test_a_run_reaches_mlflow_and_is_resumed_there(corpus: Path, tmp_path: Path) -> None:
    pytest.importorskip("pytorch_lightning")
    tracking = pytest.importorskip("mlflow.tracking")
    chosen = "loop.loggers=[{logger: mlflow, experiment: toys}]"
    vocoder = "vocoder={steps: 2, crops: {clips: 2, frames: 32, warm_up_frames: 8}}"
    for name, further in (("one", ""), ("two", vocoder), ("one", "")):
        train(config(tmp_path, *ALONE, chosen, *filter(None, [further])), corpus, tmp_path / name)
    client = tracking.MlflowClient((tmp_path / "mlruns").as_uri())
    experiment = client.get_experiment_by_name("toys")
    runs = client.search_runs([experiment.experiment_id])
    assert len(runs) == 2
    for made in runs:
        assert made.info.status == "FINISHED"
        assert made.data.params["teacher/steps"] == "6"
        losses = client.get_metric_history(made.info.run_id, "teacher/network/loss")
        assert [point.step for point in losses] == [2, 4, 6]
    artifacts = {item.path for made in runs for item in client.list_artifacts(made.info.run_id)}
    assert {"teacher", "vocoder", "recording"} <= artifacts


def test_a_server_that_cannot_be_reached_is_named(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boards, "check_loggers", lambda loggers: None)

    def unreachable(*_: object) -> None:
        raise RuntimeError("connection refused")

    monkeypatch.setattr(boards, "Mlflow", unreachable)
    monkeypatch.setattr(boards, "find_spec", lambda name: object())
    with pytest.raises(CmaudioError, match=r"mlflow cannot be opened \(connection refused\)"):
        train_teacher(corpus, tmp_path, "loop.loggers=[tensorboard, mlflow]")


def test_a_board_that_fails_later_is_told_once_and_ends_nothing(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Failing:
        def metrics(self, *_: object) -> None:
            raise RuntimeError("the server is gone")

        picture = audio = close = metrics

    monkeypatch.setattr(importlib.import_module("cmaudio.training.run.train"), "open_boards", lambda *_: [Failing()])
    train(config(tmp_path, *ALONE), corpus, tmp_path / "run", Console(width=500))
    assert (tmp_path / "run" / "teacher.safetensors").is_file()
    assert capsys.readouterr().out.count("the server is gone") == 1
