"""What a run will take: measured before it starts, changing nothing of it."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard"):
    pytest.importorskip(package)
from fixtures.toy_run import CONFIG, config
from rich.console import Console
from safetensors.torch import load_file
from torch import nn
from typer.testing import CliRunner

from cmaudio.cli.app import app
from cmaudio.cli.terminal import errors
from cmaudio.errors import CmaudioError
from cmaudio.training.config import RunConfig
from cmaudio.training.corpus.description import read_description
from cmaudio.training.run import estimate_table
from cmaudio.training.run.build_networks import make_consistency_network
from cmaudio.training.run.estimate import StageEstimate, estimate
from cmaudio.training.run.estimate_table import print_estimate
from cmaudio.training.run.launch import launch
from cmaudio.training.run.run_files import RunFiles
from cmaudio.training.run.saved_tensors import SavedTensors
from cmaudio.training.run.train import train

STAGES = ["teacher", "student", "vocoder", "vocoder_tuning", "joint"]


def foresee(settings: RunConfig, corpus: Path, folder: Path, until: str | None = None) -> list[StageEstimate]:
    fabric = launch(settings.loop, "32-true")
    return estimate(settings, corpus, RunFiles(folder), read_description(corpus), fabric, until)


def test_every_stage_is_measured_before_any_is_trained(corpus: Path, tmp_path: Path) -> None:
    settings = config(tmp_path)
    stages = foresee(settings, corpus, tmp_path / "run")
    assert [stage.name for stage in stages] == STAGES
    network = make_consistency_network(settings, read_description(corpus))
    trained = sum(p.numel() for p in network.parameters())
    teacher = stages[0]
    assert (teacher.parameters, teacher.steps) == (trained, 6)
    assert teacher.weights_gb == pytest.approx(5 * 4 * trained / 1e9, rel=0.05)  # with gradient, average, two moments
    assert stages[1].weights_gb > teacher.weights_gb  # the teacher's weights stay in memory
    for stage in stages:
        assert stage.activations_gb > 0
        assert stage.corpus_gb > 0
        assert stage.step_seconds > 0
    assert not (tmp_path / "run").exists()


def test_stages_that_are_finished_or_not_wanted_are_left_out(finished: Path, corpus: Path, tmp_path: Path) -> None:
    assert foresee(config(tmp_path), corpus, finished) == []
    begun = tmp_path / "begun" / "checkpoints"
    begun.mkdir(parents=True)
    (begun / "teacher-000000004.safetensors").touch()
    assert [(stage.name, stage.steps) for stage in foresee(config(tmp_path), corpus, begun.parent, "teacher")] == [
        ("teacher", 2)
    ]


def test_a_run_that_was_estimated_trains_as_without(finished: Path, corpus: Path, tmp_path: Path) -> None:
    said = Console(file=StringIO(), width=200)
    train(config(tmp_path), corpus, tmp_path / "run", said, until="vocoder", estimate_first=True)
    for stage in ("teacher", "vocoder"):
        ours, theirs = (load_file(folder / f"{stage}.safetensors") for folder in (tmp_path / "run", finished))
        assert all(torch.equal(ours[name], theirs[name]) for name in theirs)


def test_a_dry_run_prints_the_estimate_and_writes_nothing(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(errors, "width", 200)
    (tmp_path / "toy.yaml").write_text(CONFIG)
    arguments = ["train", tmp_path / "toy.yaml", "--corpus", corpus, "-o", tmp_path / "run", "--dry-run"]
    result = CliRunner().invoke(app, [*map(str, arguments), "--until", "teacher"])
    assert result.exit_code == 0
    assert re.search(r"teacher .* MB .* 6 ", result.output)
    assert "In all" in result.output
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_makes_steps_slow_is_told_before_they_are_measured(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dry_run: bool
) -> None:
    monkeypatch.setattr("cmaudio.training.run.launch.computes_bfloat16", lambda _device: False)
    settings, said = config(tmp_path, "loop.precision=bf16-mixed", "loop.accelerator=cpu"), StringIO()

    def stop(*_arguments: object) -> None:
        raise CmaudioError("measured")

    monkeypatch.setattr("cmaudio.training.run.train.estimate", stop)
    with pytest.raises(CmaudioError, match="measured"):
        train(settings, corpus, tmp_path / "run", Console(file=said, width=300), estimate_first=True, dry_run=dry_run)
    emulated, measuring = said.getvalue().splitlines()
    assert "emulates bfloat16" in emulated
    assert measuring.startswith("measuring a few steps of each stage")


def test_a_stage_that_cannot_be_trained_is_told_before_the_others_are(corpus: Path, tmp_path: Path) -> None:
    settings = config(tmp_path, "joint.crops.frames=34")
    with pytest.raises(CmaudioError, match=r"joint\.crops\.frames 34"):
        train(settings, corpus, tmp_path / "run", estimate_first=True)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(("free", "warned"), [(1.0, True), (100.0, False), (None, False)])
def test_what_does_not_fit_is_told_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch, free: float | None, warned: bool
) -> None:
    monkeypatch.setattr(estimate_table, "free_gb", lambda device: free)
    said = StringIO()
    stage = StageEstimate("student", 3_400_000, 0.1, 2.5, 9.0, 7200, 1.0)
    print_estimate([stage], Console(file=said, width=200), torch.device("cpu"))
    text = " ".join(said.getvalue().split())
    assert "3.40 M" in text
    assert "In all 2 h 0 min" in text
    assert "most memory 11.6 GB" in text
    assert ("chunk_clips" in text) == warned


def test_kept_tensors_are_counted_once_and_while_they_are_kept() -> None:
    layer = nn.Linear(10, 20)
    x = torch.randn(5, 10)
    with SavedTensors([layer]) as saved:
        for _ in range(3):
            y = layer(x)
            (torch.sin(y) * torch.cos(y)).sum().backward()
    # x, y (for both), and the sine and cosine for their product; of one pass, since each is over before the next
    assert saved.peak_bytes == 4 * (5 * 10 + 3 * 5 * 20)
