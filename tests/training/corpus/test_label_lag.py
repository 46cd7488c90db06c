"""Times of phonemes that come late or early: found from the sound, reported by prepare, corrected after the aligner."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard"):
    pytest.importorskip(package)

from cmaudio.cli.app import app
from cmaudio.training.config import read_config
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.label_lag import explained_variance, label_lag
from cmaudio.training.run.alignment import read_alignment
from cmaudio.training.run.folder import ALIGNMENT
from cmaudio.training.run.train import train
from cmaudio.training.tasks.aligner import AlignerTask

RATE, HOP = 16_000, 128
LENGTHS = (0.1, 0.3, 0.25, 0.2, 0.3, 0.1)  # seconds of "", s, i, s, i, .
PHONEMES = ["", "s", "ˈi", "s", "ˈi", "."]
CONFIG = """
name: toy voice
description: hisses and tones
network: {block_frames: 4, width: 16, context_depth: 2, head_depth: 2, conditioning: 16, timbre_dims: 4}
aligner: {steps: 1, clips: 2}
loop: {precision: 32-true, compile: false, log_steps: 1, picture_steps: 0, threads: 1}
"""


@pytest.mark.parametrize("late", [-6, -1, 0, 2, 7])
def test_a_known_label_lag_is_found(late: int) -> None:
    rng = np.random.default_rng(late + 10)
    said = np.repeat(rng.integers(0, 9, 400), rng.integers(4, 12, 400))
    spectra = rng.normal(size=(9, 20))[said] + rng.normal(size=(len(said), 20))
    found = label_lag(spectra.astype(np.float32), np.roll(said, late))
    assert found.frames == late
    assert found.is_wrong == (abs(late) > 2)
    assert found.explained_when_moved == pytest.approx(0.5, abs=0.1)


def test_uninformative_labels_are_not_reported_as_late() -> None:
    rng = np.random.default_rng(0)
    said = np.repeat(rng.integers(0, 3, 1500), 6)
    assert not label_lag(np.cumsum(rng.normal(size=(len(said), 4)), 0).astype(np.float32), said).is_wrong


def test_explained_variance_is_between_0_and_1() -> None:
    values = np.array([[1.0], [1.0], [5.0], [5.0]], np.float32)
    assert explained_variance(values, np.array([0, 0, 1, 1])) == pytest.approx(1)
    assert explained_variance(values, np.array([0, 1, 0, 1])) == pytest.approx(0)
    assert explained_variance(values, np.zeros(4, np.int64)) == pytest.approx(0)


def write_speech(folder: Path, late: float | None) -> Path:
    """Twelve utterances of hisses and tones; None for no times, else so many seconds late."""
    (folder / "wavs").mkdir(parents=True)
    rng, rows, lines = np.random.default_rng(1), [], []
    for index in range(12):
        lengths = np.array(LENGTHS) * rng.uniform(0.8, 1.3, len(LENGTHS))
        time = np.arange(round(RATE * lengths.sum())) / RATE
        which = np.searchsorted(np.cumsum(lengths), time, side="right").clip(max=5)
        tone = sum(np.sin(2 * np.pi * k * 150 * time) / k for k in range(1, 8))
        sound = np.where(np.isin(which, (1, 3)), 0.2 * rng.normal(size=len(time)), 0.2 * tone)
        edges = 0.05 * np.sin(2 * np.pi * 3000 * time)
        soundfile.write(folder / "wavs" / f"u{index}.wav", np.where(np.isin(which, (0, 5)), edges, sound), RATE)
        rows.append(f"u{index}|See see.|See see.\n")
        ends = [*(np.cumsum(lengths)[:-1] + (late or 0)).tolist(), len(time) / RATE]
        lines.append(json.dumps({"id": f"u{index}", "phonemes": PHONEMES, "ends": ends}) + "\n")
    (folder / "metadata.csv").write_text("".join(rows), encoding="utf-8")
    if late is not None:
        (folder / "phonemes.jsonl").write_text("".join(lines), encoding="utf-8")
    return folder


def prepared(folder: Path, late: float | None) -> tuple[Path, str]:
    raw, corpus = write_speech(folder / "raw", late), folder / "corpus"
    signal = ["--sample-rate", str(RATE), "--hop-length", str(HOP), "--bands", "24", "--workers", "1"]
    command = ["prepare", "speech", "ljspeech", str(raw), "-o", str(corpus), "--language", "en-us", *signal]
    told = CliRunner().invoke(app, command, env={"COLUMNS": "300"})
    assert told.exit_code == 0, told.output
    return corpus, told.output


@pytest.mark.parametrize(("late", "word"), [(0.06, "late"), (-0.06, "early"), (0.0, None)])
def test_prepare_warns_of_phoneme_times_with_an_offset(tmp_path: Path, late: float, word: str | None) -> None:
    _, output = prepared(tmp_path, late)
    if word is None:
        assert "warning" not in output
    else:
        assert f"s too {word}" in output
        assert float(output.split("phonemes.jsonl are ")[1].split(" s too")[0]) == pytest.approx(abs(late), abs=0.012)


def test_the_aligners_lag_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An aligner that is right but for 5 frames."""
    given, _ = prepared(tmp_path / "given", 0.0)
    clips = Corpus(given).clips
    right = {int(n): spoken.ends for n, spoken in zip(clips.frames, clips.spoken, strict=True) if spoken is not None}

    def late(self: AlignerTask, batch: object) -> list[list[int]]:
        frames = int(batch.frames[0])  # type: ignore[attr-defined]
        ends = right.get(frames, np.linspace(10, frames, len(PHONEMES)).astype(int))
        return [[*(ends[:-1] + 5).tolist(), frames]]

    monkeypatch.setattr(AlignerTask, "ends", late)
    corpus, _ = prepared(tmp_path / "without", None)
    (tmp_path / "toy.yaml").write_text(CONFIG)
    train(read_config(tmp_path / "toy.yaml"), corpus, tmp_path / "run", until="aligner")
    moved = Corpus(corpus, ends=read_alignment(tmp_path / "run" / ALIGNMENT)).clips
    for frames, spoken in zip(moved.frames.tolist(), moved.spoken, strict=True):
        assert spoken is not None
        assert np.abs(spoken.ends - right[frames]).max() <= 2  # a frame's window reaches back by one or two
