"""A vocoder distilled from a model's own takes its place in the model file."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.toy_run import config
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from cmaudio import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.training.config import read_config
from cmaudio.training.export.packing import pack_run
from cmaudio.training.export.vocoder import amend_vocoder
from cmaudio.training.run.train import train

OTHER_STAGES = tuple(f"{stage}=null" for stage in ("teacher", "student", "vocoder_tuning", "joint"))


@pytest.fixture(scope="module")
def whole(finished: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The toy model in 8 bit."""
    return pack_run(finished, tmp_path_factory.mktemp("model") / "whole.cmaudio", weights="int8")


def test_a_smaller_vocoder_is_distilled_and_replaces_that_of_a_model(
    corpus: Path, tmp_path: Path, finished: Path, whole: Model
) -> None:
    shape = read_config(finished / "config.yaml").vocoder_network.model_dump(mode="json")
    teacher = {"weights": str(finished / "joint.safetensors"), "network": shape}
    distil = (f"vocoder.distil={json.dumps(teacher)}", "vocoder_network.width=8")
    train(config(tmp_path, *distil, *OTHER_STAGES), corpus, tmp_path / "run", until="vocoder")
    small = amend_vocoder(whole, tmp_path / "small.cmaudio", tmp_path / "run")
    assert len(small.graph("vocoder")) < len(whole.graph("vocoder"))
    assert all(small.graph(name) == whole.graph(name) for name in ("controls", "context", "head"))
    without: dict[str, object] = {"sha256": {}}
    assert small.manifest.model_copy(update=without) == whole.manifest.model_copy(update=without)
    for card in (small.card, amend_vocoder(small, tmp_path / "again.cmaudio", tmp_path / "run").card):
        assert card.count("## Vocoder") == 1
        assert "vocoder (distilled from that of joint.safetensors) 4 steps" in card
        assert card.count("| vocoder |") == whole.card.count("| vocoder |")
        assert card.partition("## Limits")[2] == whole.card.partition("## Limits")[2]
    assert small.data.parameters["vocoder"] < whole.data.parameters["vocoder"]
    engine = Engine(small, channels=1)
    engine.note_on(60, 100)
    assert np.abs(engine.read(8000)).max() > 0


def test_a_vocoder_of_other_frames_is_refused(tmp_path: Path, finished: Path, whole: Model) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for stage in ("joint", "vocoder_tuning"):
        (run / f"{stage}.safetensors").unlink()
    weights = run / "vocoder.safetensors"
    with safe_open(weights, "pt") as file:
        about = file.metadata()
    tensors = load_file(weights)
    save_file(tensors | {"mel_mean": tensors["mel_mean"] + 1}, weights, about)
    with pytest.raises(CmaudioError, match="not normalised like"):
        amend_vocoder(whole, tmp_path / "out.cmaudio", run)


def test_a_run_without_a_vocoder_is_refused(tmp_path: Path, finished: Path, whole: Model) -> None:
    run = tmp_path / "run"
    shutil.copytree(finished, run)
    for stage in ("joint", "vocoder_tuning", "vocoder"):
        (run / f"{stage}.safetensors").unlink()
    with pytest.raises(CmaudioError, match="no finished vocoder"):
        amend_vocoder(whole, tmp_path / "out.cmaudio", run)


@pytest.mark.parametrize("setting", ["vocoder.generated_share=0.5", "vocoder.keep=0.5"])
def test_distillation_admits_no_other_targets(tmp_path: Path, setting: str) -> None:
    with pytest.raises(CmaudioError, match="with distil, generated_share and keep must be 0"):
        config(tmp_path, "vocoder.distil={weights: instrument}", setting)


def test_a_missing_teacher_is_named(tmp_path: Path, corpus: Path) -> None:
    settings = config(tmp_path, "vocoder.distil={weights: nowhere.safetensors}", *OTHER_STAGES)
    with pytest.raises(CmaudioError, match=r"nowhere\.safetensors, which do not exist.*vocoder\.distil\.weights"):
        train(settings, corpus, tmp_path / "run", until="vocoder")
