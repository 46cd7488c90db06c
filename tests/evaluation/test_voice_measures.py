"""Measures of a voice on sounds whose answers are known."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from fixtures.torchaudio_references import noise, reference

from cmaudio.errors import CmaudioError
from cmaudio.evaluation import run_evaluation
from cmaudio.evaluation.libraries import librosa_module
from cmaudio.evaluation.voice.pitch import f0_errors, level_and_pitch, track_f0
from cmaudio.evaluation.voice.reading import longest_silence
from cmaudio.evaluation.voice.resampling import resampled
from cmaudio.evaluation.voice.scores import normalised, score_sounds
from cmaudio.evaluation.voice.speakers import peer_speakers
from cmaudio.signal.dsp import Float

RATE = 16_000


def tone(hz: float, seconds: float = 0.5) -> Float:
    time = np.arange(round(seconds * RATE)) / RATE
    partials = [np.sin(2 * math.pi * k * hz * time) / k for k in range(1, 6)]
    return (0.1 * np.sum(partials, 0)).astype(np.float32)


@pytest.mark.parametrize("hz", [90.0, 220.0, 410.0])
def test_pyin_finds_the_pitch_of_a_tone(hz: float) -> None:
    pytest.importorskip("librosa")
    f0 = track_f0(tone(hz), RATE)
    voiced = f0[f0 > 0]
    assert len(voiced) > 0.8 * len(f0)
    assert 1200 * abs(math.log2(float(np.median(voiced)) / hz)) < 15


def test_level_and_pitch_of_a_tone_and_of_silence() -> None:
    pytest.importorskip("librosa")
    found = level_and_pitch(tone(220), RATE)
    assert found["median_semitones"] == pytest.approx(57, abs=0.2)
    assert level_and_pitch(np.zeros(RATE, np.float32), RATE)["median_semitones"] is None


def test_pitch_errors_count_voicing_and_gross_deviations_apart() -> None:
    recorded = np.array([100, 100, 100, 100, 0, 0, 100, 100, 100, 100], np.float32)
    ours = np.array([100, 110, 150, 0, 0, 90, 100, 100, 100, 100, 100], np.float32)  # a frame longer
    assert f0_errors([(ours, recorded)]) == {
        "voicing_decision_error": 0.2,
        "gross_pitch_error": round(1 / 7, 4),
        "f0_frame_error": 0.3,
    }


@pytest.mark.parametrize(
    ("text", "expected"),
    [("It's  FINE, isn't it?", "its fine isnt it"), ("Ещё 5 книг…", "еще 5 книг"), ("воло́с", "волос"), ("", "")],
)
def test_texts_are_compared_without_case_and_punctuation(text: str, expected: str) -> None:
    assert normalised(text) == expected


def test_longest_silence() -> None:
    sound = np.concatenate([tone(200, 0.2), np.zeros(RATE // 4, np.float32), tone(200, 0.2)])
    assert longest_silence(sound, RATE) == pytest.approx(0.25, abs=0.01)


def test_a_score_without_its_packages_is_reported_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("distillmos", "speechmos", "speechmos.dnsmos", "jiwer", "faster_whisper"):
        monkeypatch.setitem(sys.modules, name, None)
    (tmp_path / "one step").mkdir()
    scores = score_sounds(tmp_path, {}, "en-us", None)
    assert scores["kinds"] == {"one step": {}}
    assert "pip install faster-whisper" in scores["not_measured_here"]["wer"]
    assert set(scores["not_measured_here"]) == {"wer", "distillmos", "dnsmos"}


def test_an_unknown_or_missing_peer_is_named() -> None:
    with pytest.raises(CmaudioError, match=r"no peer 'parrot'.*hibari, piper"):
        peer_speakers(["parrot"])


def test_a_voice_without_a_corpus_says_what_it_needs() -> None:
    with pytest.raises(CmaudioError, match="give --corpus"):
        run_evaluation("english")


def test_a_broken_librosa_is_an_error_only_where_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib

    real = importlib.import_module

    def load(name: str, package: str | None = None) -> ModuleType:
        if name.startswith("librosa"):
            raise OSError("undefined symbol: _ZN5torch")
        return real(name, package)

    monkeypatch.setattr(importlib, "import_module", load)
    with pytest.raises(
        CmaudioError, match=r"cannot be loaded \(undefined symbol.*pip install --force-reinstall librosa"
    ):
        librosa_module()


@pytest.mark.parametrize("rate", [48_000, 24_000, 22_050, 8_000])
def test_sounds_are_scored_at_the_samples_that_torchaudio_gives(rate: int) -> None:
    np.testing.assert_allclose(resampled(noise(), rate, 16_000), reference(f"resampled_{rate}"), atol=1e-4)
    np.testing.assert_array_equal(resampled(noise(), rate, rate), noise())
