"""Speech while it sounds: rate, pitch, energy, stopping."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from fixtures.speech import TEXT, finish, said, words

from cmaudio.engine.engine import Engine
from cmaudio.engine.speech import Speech
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float


def test_rate_changes_how_long_it_takes_and_when_it_acts(tiny_voice: Model) -> None:
    slow, fast = said(tiny_voice, rate=0.5), said(tiny_voice, rate=2.0)
    assert slow.marks[-1].seconds == pytest.approx(4 * fast.marks[-1].seconds, rel=0.05)
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT)
    engine.read(engine.sample_rate // 2)
    before = len(speech.marks)
    speech.steer(rate=4.0)
    finish(engine, speech, itertools.repeat(512))
    later = [m.seconds for m in speech.marks[before + 4 :]]
    usual = [m.seconds for m in said(tiny_voice).marks[before + 4 :]]
    assert later[-1] - later[0] == pytest.approx((usual[-1] - usual[0]) / 4, rel=0.1)


def f0_track(model: Model, **how: float) -> np.ndarray:
    """(T,) Hz that the vocoder is given, of voiced frames."""
    engine = Engine(model, channels=1)
    tracks = []
    vocoder = engine.synthesizer.vocoder

    class Watch:
        def __call__(self, mel: Float, f0: Float, state: list[Float]) -> list[Float]:
            tracks.append(f0[0])
            return vocoder(mel, f0, state=state)

        def init_state(self, batch: int) -> list[Float]:
            return vocoder.init_state(batch)

    engine.synthesizer.vocoder = Watch()  # type: ignore[assignment]
    finish(engine, engine.say(TEXT, **how), itertools.repeat(4096))  # type: ignore[arg-type]
    track = np.concatenate(tracks)
    return track[track > 0]


def test_pitch_and_range_move_the_melody(tiny_voice: Model) -> None:
    usual, higher = f0_track(tiny_voice), f0_track(tiny_voice, pitch=12)
    flat = f0_track(tiny_voice, pitch_range=0)
    assert len(usual) > 50
    np.testing.assert_allclose(higher, 2 * usual, rtol=1e-4)
    assert len(np.unique(flat.round(3))) <= 4  # one tone a stretch between pauses


def test_energy_reaches_the_network(tiny_voice: Model) -> None:
    assert not np.array_equal(said(tiny_voice, energy=6.0).audio, said(tiny_voice).audio)


def test_stop_at_the_phoneme_and_speak_again(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT, seed=1)
    engine.read(engine.sample_rate // 2)
    speech.stop("phoneme")
    rest = finish(engine, speech, itertools.repeat(256))
    assert len(rest) < engine.sample_rate  # a phoneme, not the text
    assert len(words(speech.marks)) < len(words(said(tiny_voice).marks))
    second, again = whole(engine)
    first, _ = whole(Engine(tiny_voice))
    assert words(again.marks) == words(said(tiny_voice).marks)
    count = min(len(first), len(second))
    np.testing.assert_allclose(second[:count], first[:count], atol=2e-6)


def whole(engine: Engine) -> tuple[Float, Speech]:
    """All of the text from its first sample on."""
    now = engine.now
    speech = engine.say(TEXT, seed=1)
    sound = finish(engine, speech, itertools.repeat(4096))
    assert speech.began is not None
    return sound[speech.began - now + engine.latency_samples :], speech


def test_stop_now_is_silent_within_milliseconds(tiny_voice: Model) -> None:
    engine = Engine(tiny_voice)
    speech = engine.say(TEXT)
    engine.read(engine.sample_rate // 2)
    speech.stop()
    rest = finish(engine, speech, itertools.repeat(64))
    assert np.abs(rest[engine.sample_rate // 20 :]).max(initial=0) < 1e-4
    assert speech.ended
