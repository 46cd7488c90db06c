"""Recordings as clips that look as if they had been played, and their pitch."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("lhotse")
pytest.importorskip("swift_f0")


from cmaudio.cli.prepare.corpus import define_signal
from cmaudio.training.prepare.pitch import frame_centres, track_pitch
from cmaudio.training.prepare.recorded import RecordedSound, clips_of_sound, velocity_of


def test_a_complete_sound_gives_a_whole_and_a_released_clip() -> None:
    signal = define_signal(16_000, 64, 16).signal()
    audio = np.concatenate([np.zeros(3000), np.sin(np.arange(32_000) * 0.2)]).astype(np.float32) * 0.1
    whole, let_go = clips_of_sound(audio, RecordedSound("x", "t", "auto", -20.0), signal, np.random.default_rng(0))
    lead = 4 * 64
    assert not whole.audio[:lead].any()
    assert 0 <= np.argmax(np.abs(whole.audio) > 0.01) - lead < 64
    assert not let_go.audio[let_go.release_samples + 4801 :].any()
    assert np.abs(let_go.audio[let_go.release_samples - 100 : let_go.release_samples]).max() > 0.09
    expected = 69 + 12 * np.log2(0.2 * 16_000 / (2 * np.pi) / 440)
    assert whole.pitch == pytest.approx(expected, abs=0.1)
    assert len(whole.audio) % 64 == 0
    assert velocity_of(-32, -20) == pytest.approx(127 / 2, rel=0.01)


def test_pitch_follows_an_audible_glide() -> None:
    rate, hop = 48_000, 512
    seconds = np.arange(rate * 3) / rate
    semitones = 50 + 12 * seconds / 3
    cycles = np.cumsum(440 * 2 ** ((semitones - 69) / 12)) / rate
    audio = np.sum([np.sin(2 * np.pi * k * cycles) / k for k in range(1, 8)], 0) * 0.003
    audio[: rate // 2] = 0
    centres = frame_centres(len(audio) // hop, hop)
    found, voiced = track_pitch(np.asarray(audio, np.float32), rate, centres)
    error = (found - (50 + 12 * centres / rate / 3))[voiced > 0]
    assert abs(np.median(error)) < 0.03
    assert np.percentile(np.abs(error), 90) < 0.2
    assert voiced[centres < rate * 0.4].max() == 0
    assert voiced[centres > rate * 0.6].mean() > 0.9
    silent, never = track_pitch(np.zeros(rate, np.float32), rate, centres[:50])
    assert (silent == 60).all()
    assert not never.any()


def test_weak_frames_beside_confident_ones_are_voiced_on_request() -> None:
    rate = 16_000
    rng = np.random.default_rng(1)
    t = np.arange(2 * rate) / rate
    tone = np.sin(2 * np.pi * 150 * t) + 0.5 * np.sin(2 * np.pi * 300 * t)
    audio = (tone * np.linspace(1, 0, len(t)) ** 2 + 0.1 * rng.standard_normal(len(t))).astype(np.float32)
    centres = frame_centres(len(audio) // 160, 160)
    _, strict = track_pitch(audio, rate, centres)
    semitones, lenient = track_pitch(audio, rate, centres, least_confidence=0.1)
    assert (lenient >= strict).all()
    more = (lenient > strict) & (centres / rate > 0.1)
    assert more.any()
    assert np.median(np.abs(semitones[more] - (69 + 12 * np.log2(150 / 440)))) < 0.5
