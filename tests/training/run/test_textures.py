"""From generated recordings to a model of textures that plays, is steered, and is measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
for package in ("lhotse", "lightning_fabric", "tensorboard", "onnx"):
    pytest.importorskip(package)
from fixtures.texture_sounds import make_corpus

from cmaudio import Engine
from cmaudio.controls.definitions import control_definitions
from cmaudio.errors import CmaudioError
from cmaudio.evaluation import run_evaluation
from cmaudio.learning.example import DB
from cmaudio.learning.hearing import heard
from cmaudio.model.file import Model, load_model
from cmaudio.synthesis.networks import Synthesizer
from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS
from cmaudio.training.config import read_config
from cmaudio.training.corpus.texture_recordings import read_takes
from cmaudio.training.export.measured import with_measured
from cmaudio.training.export.packing import pack_run
from cmaudio.training.export.texture_motion import amend_motion
from cmaudio.training.run.train import train

CONFIG = """
name: toy textures
description: hiss, ticks and knocks
network:
  {block_frames: 4, width: 16, context_depth: 2, head_depth: 2, conditioning: 16, timbre_dims: 4, autoregressive: true,
   most_spreads: 5}
vocoder_network: {kind: bands}
prior_network: {width: 32, depth: 2, modulation: 6}
prior: {steps: 80, frames: 128, moving_frames: 16, warmup_steps: 10, learning_rate: 5.0e-3, ema: 0.9}
student: {objective: {objective: energy}, steps: 2, crops: {clips: 4, frames: 32, warm_up_frames: 8}}
loop: {precision: 32-true, compile: false, log_steps: 10, picture_steps: 0, threads: 1}
"""


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a finished run; its corpus lies beside it."""
    folder = tmp_path_factory.mktemp("textures")
    make_corpus(folder / "sounds", folder / "corpus")
    (folder / "toy.yaml").write_text(CONFIG)
    train(read_config(folder / "toy.yaml"), folder / "corpus", folder / "run")
    return folder / "run"


@pytest.fixture(scope="module", params=["float32", "int8"])
def textures(request: pytest.FixtureRequest, run: Path) -> Model:
    return pack_run(run, run / f"{request.param}.cmaudio", weights=request.param)


def played(model: Model, timbre: str, seconds: float = 1.0, *, off: float | None = None, **asked: float) -> np.ndarray:
    engine = Engine(model, channels=1)
    for name, value in asked.items():
        engine.express(name, value)
    note = engine.note_on(60, 127, timbre=timbre, seed=1, at=0)
    if off is not None:
        note.off(at=int(off * engine.sample_rate))
    return engine.read(int(seconds * engine.sample_rate)).reshape(-1)


def level_db(audio: np.ndarray) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(np.square(audio))) + 1e-9))


def test_its_controls_are_those_that_were_measured(textures: Model, model: Model) -> None:
    shown = control_definitions(textures)
    assert all((shown[n].min, shown[n].max, shown[n].default) == (0, 1, 0.5) for n in TEXTURE_CONTROLS)
    assert not set(TEXTURE_CONTROLS) & set(control_definitions(model))


def test_its_card_names_the_authors(textures: Model) -> None:
    assert "| Ann | CC-BY-3.0 | knock |" in textures.card
    assert "| Bob, Cas | CC-BY-3.0 | ticks |" in textures.card
    assert "nothing trained" in textures.card


def test_a_control_changes_the_sound_and_a_bed_goes_on(textures: Model) -> None:
    soft, loud = (played(textures, "hiss", intensity=value) for value in (0.0, 1.0))
    assert level_db(loud) > level_db(soft)
    long = played(textures, "hiss", 8.0)
    assert level_db(long[-8000:]) == pytest.approx(level_db(long[8000:24000]), abs=3)


def test_a_release_stops_a_bed_and_not_a_one_shot(textures: Model) -> None:
    def voice_ends(timbre: str) -> float:
        engine = Engine(textures, channels=1)
        note = engine.note_on(60, 127, timbre=timbre, seed=1, at=0)
        note.off(at=100)
        engine.read(4000)
        return np.inf if note.voice is None else note.voice.fades_from

    assert np.isfinite(voice_ends("hiss"))
    assert voice_ends("knock") > voice_ends("hiss") or voice_ends("knock") == np.inf


def test_another_seed_is_another_take(textures: Model) -> None:
    engine = Engine(textures, channels=1)

    def features(seed: int) -> np.ndarray:
        note = engine.note_on(60, 100, timbre="knock", seed=seed)
        engine.read(64)
        assert note.voice is not None
        ends = np.array([[128, 256, 384, 512]])
        return type(note.voice).block_features([note.voice], ends).features

    np.testing.assert_array_equal(features(3), features(3))
    assert not np.array_equal(features(3), features(4))


def test_it_is_measured_against_its_recordings(textures: Model, run: Path) -> None:
    if textures.manifest.weights == "int8":
        pytest.skip("one kind of weights is enough")
    found = run_evaluation(textures, corpus=run.parent / "corpus", quick=True, limit=2)["sections"]
    assert set(found) == {"likeness", "naming", "copies", "takes", "controls", "beds"}
    assert found["beds"]["minutes"] == 1
    assert found["beds"]["repetition"]["n"] == 2
    assert set(found["controls"]["controls"]) == set(TEXTURE_CONTROLS)
    assert found["takes"]["timbres"]["knock"]["ours_db"] > 0


@pytest.mark.parametrize(("only", "message"), [("pitch", "no section 'pitch'"), ("likeness", "give --corpus")])
def test_what_cannot_be_measured_is_refused(textures: Model, only: str, message: str) -> None:
    with pytest.raises(CmaudioError, match=message):
        run_evaluation(textures, only=[only])


def test_bands_have_nothing_to_train(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(CONFIG + "vocoder: {steps: 2}\n")
    with pytest.raises(CmaudioError, match="nothing to train"):
        read_config(tmp_path / "toy.yaml")


@pytest.fixture(scope="module")
def moving(run: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A model whose timbres move as recorded."""
    packed = pack_run(run, tmp_path_factory.mktemp("moving") / "still.cmaudio", weights="float32")
    return amend_motion(packed, packed.path.with_name("moving.cmaudio"), run.parent / "corpus")


def crest(audio: np.ndarray) -> float:
    """How far the loudest hundredth of the frames is above the median, in dB."""
    levels = 20 * np.log10(np.sqrt(np.square(audio[: len(audio) // 128 * 128].reshape(-1, 128)).mean(1)) + 1e-6)
    return float(np.percentile(levels, 99) - np.median(levels))


def test_a_rhythm_moves_as_recorded(moving: Model, textures: Model) -> None:
    assert {timbre.name for timbre in moving.manifest.timbres if timbre.motion} == {"hiss", "ticks", "knock"}
    assert crest(played(moving, "ticks", 8)) > crest(played(textures, "ticks", 8)) + 5
    assert crest(played(moving, "ticks", 8, humanity=0)) < crest(played(moving, "ticks", 8)) - 5


def test_a_strike_decays_as_recorded(moving: Model, run: Path) -> None:
    signal = moving.manifest.sample_rate, moving.manifest.hop_length, moving.manifest.mel.bands
    recorded = [mel for _, mel in read_takes(run.parent / "corpus", *signal)["knock"]]
    frames = min(map(len, recorded))

    def away_db(model: Model) -> float:
        strikes = heard(model, Synthesizer(model), "knock", frames / model.manifest.frame_rate, range(4))
        return DB * float(np.abs(np.mean(strikes, 0)[:frames] - np.mean([mel[:frames] for mel in recorded], 0)).mean())

    without = replace(moving, manifest=with_measured(moving.manifest, "motion", {}))
    assert away_db(moving) < 0.7 * away_db(without)


@pytest.mark.parametrize(("first", "second"), [("ticks", "hiss"), ("knock", "ticks"), ("ticks", "knock")])
def test_a_motion_is_the_same_whatever_the_reads(moving: Model, first: str, second: str) -> None:
    def samples(*sizes: int) -> np.ndarray:
        engine = Engine(moving, channels=1)
        note = engine.note_on(60, 127, timbre=first, seed=3, at=0)
        note.morph(second, seconds=0.2, at=6000)
        return np.concatenate([engine.read(size) for size in sizes])

    np.testing.assert_array_equal(samples(16_000), samples(1, 64, 65, 8193, 7677))


def test_a_bed_that_moves_ends_after_its_release(moving: Model) -> None:
    audio = played(moving, "ticks", 4.0, off=1.0)
    assert level_db(audio[-16_000:]) < level_db(audio[:16_000]) - 10


def test_a_motion_is_in_the_file(moving: Model) -> None:
    again = load_model(moving.path)
    assert again.timbres["ticks"].motion == moving.timbres["ticks"].motion
