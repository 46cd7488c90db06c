"""A voice from a corpus with text to a model file that speaks."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)

from fixtures.toy_voice import CONFIG, make_corpus

from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.offline.speak import speak
from cmaudio.training.config import read_config
from cmaudio.training.corpus.corpus import Corpus
from cmaudio.training.corpus.description import read_description
from cmaudio.training.run.alignment import read_alignment
from cmaudio.training.run.folder import ALIGNMENT
from cmaudio.training.run.train import train


def test_a_voice_is_trained_from_text_without_phoneme_times(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, given_times=False)
    description = read_description(corpus)
    assert description.language == "en-us"
    assert {"", ".", ",", "?", "s"} <= set(description.symbols)
    (tmp_path / "toy.yaml").write_text(CONFIG)
    config = read_config(tmp_path / "toy.yaml")
    run = tmp_path / "run"
    assert train(config, corpus, run)
    ends = read_alignment(run / ALIGNMENT)
    assert len(ends) == 10
    frames = Corpus(corpus, ends=ends).clips
    for spoken, count in zip(frames.spoken, frames.frames.tolist(), strict=True):
        assert spoken is not None
        assert spoken.durations.sum() == count
    from cmaudio.training.export.packing import pack_run

    model = pack_run(run, tmp_path / "toy.cmaudio")
    assert load_model(tmp_path / "toy.cmaudio").manifest.speech is not None
    spoken_text = speak("See the tree.", model=model)
    assert [mark.text for mark in spoken_text.marks if mark.kind == "word"] == ["See", "the", "tree"]
    assert "language | en-us" in model.card


def test_given_times_are_used_and_the_aligner_is_skipped(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, given_times=True)
    clips = Corpus(corpus).clips
    assert all(spoken is not None and len(spoken.ids) == 7 for spoken in clips.spoken)
    (tmp_path / "toy.yaml").write_text(CONFIG)
    train(read_config(tmp_path / "toy.yaml"), corpus, tmp_path / "run", until="student")
    assert not (tmp_path / "run" / ALIGNMENT).exists()


def test_without_times_and_aligner_training_names_the_remedy(tmp_path: Path) -> None:
    corpus = make_corpus(tmp_path, given_times=False)
    (tmp_path / "toy.yaml").write_text(CONFIG)
    with pytest.raises(CmaudioError, match="add an aligner stage"):
        train(read_config(tmp_path / "toy.yaml", ["aligner=null"]), corpus, tmp_path / "run")
