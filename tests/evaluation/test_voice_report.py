"""The report of a voice, measured on a toy voice that has just been trained."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

for package in ("torch", "lhotse", "lightning_fabric", "tensorboard", "onnx", "librosa"):
    pytest.importorskip(package)
from fixtures.toy_voice import CONFIG, make_corpus
from rich.console import Console

from cmaudio.evaluation import print_report, run_evaluation
from cmaudio.training.config import read_config
from cmaudio.training.export.packing import pack_run
from cmaudio.training.run.train import train


def test_report_of_a_toy_voice(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, given_times=False)
    (tmp_path / "toy.yaml").write_text(CONFIG)
    train(read_config(tmp_path / "toy.yaml"), corpus, tmp_path / "run")
    voice = pack_run(tmp_path / "run", tmp_path / "toy.cmaudio")
    sounds = tmp_path / "sounds"
    result = run_evaluation(
        voice, corpus=corpus, sounds=sounds, quick=True, only=["copy_synthesis", "speed", "first_sound", "reading"]
    )
    json.dumps(result, allow_nan=False)
    sections = result["sections"]
    assert sections["copy_synthesis"]["mel_l1"] > 0
    assert 0 <= sections["copy_synthesis"]["f0_frame_error"] <= 1
    assert set(sections["speed"]) == {"one step", "two steps"}
    assert sections["first_sound"]["made_p50_ms"] > 0
    assert sections["reading"]["seconds"] > 10
    kinds = {path.parent.name for path in sounds.glob("*/*.wav")}
    assert kinds == {"recording", "copy", "one step", "two steps", "reading"}
    assert len(list((sounds / "one step").iterdir())) == 2
    console = Console(record=True, width=140)
    print_report(result, console)
    assert "one step" in console.export_text()
