"""Vibrato, pressure, brightness, resonance and the sostenuto pedal, on the embedded model."""

from __future__ import annotations

import numpy as np
import pytest

from cmaudio.engine.engine import Engine
from cmaudio.errors import CmaudioError
from cmaudio.model.file import load_model
from cmaudio.score.events import Event, Expression, NoteOn
from cmaudio.score.expression import EXPRESSIONS, PRESSURE_DB, VIBRATO_HZ, checked_expression
from cmaudio.signal.dsp import Float
from cmaudio.synthesis.excitation import semitones_to_hz
from cmaudio.synthesis.spectrum_shaping import SpectrumShaper

RATE = 48_000
ORGAN = "church organ"


def held(seconds: float = 1.0, timbre: str = ORGAN, pitch: float = 57, **expression: float) -> Float:
    engine = Engine(channels=1, seed=3)
    note = engine.note_on(pitch, 90, timbre=timbre, at=0)
    for name, value in expression.items():
        note.express(name, value, at=0)
    return engine.read(round(seconds * RATE))


def level_db(samples: Float) -> float:
    return float(10 * np.log10(np.mean(np.square(samples, dtype=np.float64)) + 1e-12))


def band_db(samples: Float, low_hz: float, high_hz: float) -> float:
    spectrum = np.square(np.abs(np.fft.rfft(samples * np.hanning(len(samples)))))
    hz = np.fft.rfftfreq(len(samples), 1 / RATE)
    return float(10 * np.log10(spectrum[(hz >= low_hz) & (hz < high_hz)].sum() + 1e-12))


def pitch_track_semitones(samples: Float, hz: float) -> np.ndarray:
    """Deviation from `hz` over time, from the phase of the fundamental seen through a short window."""
    time = np.arange(len(samples)) / RATE
    window = np.hanning(2401)
    fundamental = np.convolve(samples * np.exp(-2j * np.pi * hz * time), window / window.sum(), "valid")
    return np.asarray(12 * np.log2(1 + np.diff(np.unwrap(np.angle(fundamental))) * RATE / (2 * np.pi) / hz))


def test_vibrato_swings_the_pitch_by_its_depth_at_its_rate() -> None:
    still, swinging = held(1.5, "flute"), held(1.5, "flute", vibrato=0.5)
    hz = float(semitones_to_hz(np.array(57.0)))
    steady, track = (pitch_track_semitones(sound[RATE // 4 :], hz) for sound in (still, swinging))
    assert np.percentile(np.abs(steady), 98) < 0.15  # what the short window makes of breath noise
    assert 0.4 < np.percentile(track, 98) < 0.6
    assert -0.6 < np.percentile(track, 2) < -0.4
    spectrum = np.abs(np.fft.rfft((track - track.mean()) * np.hanning(len(track)), 8 * len(track)))
    assert np.fft.rfftfreq(8 * len(track), 1 / RATE)[spectrum.argmax()] == pytest.approx(VIBRATO_HZ, abs=0.2)


def test_pressure_swells_by_what_it_says_and_dies_with_the_key() -> None:
    plain, pressed = (sound[RATE // 2 :] for sound in (held(), held(pressure=1.0)))
    swell = band_db(pressed, 150, 300) - band_db(plain, 150, 300)  # the fundamental: what brightness leaves alone
    assert swell == pytest.approx(PRESSURE_DB, abs=1.0)  # brighter frames get a little less of it from the vocoder


@pytest.mark.parametrize(("timbre", "most_db"), [("oboe", 0.7), ("flute", 2.7)])  # a vocoder's bands meddle a little
def test_brightness_lifts_what_lies_above_the_pitch_and_leaves_the_fundamental(timbre: str, most_db: float) -> None:
    dark, plain, bright = (held(timbre=timbre, brightness=b)[RATE // 4 :] for b in (-6, 0, 6))
    for low, high, least in ((700, 1600, 5.0), (1600, 5000, 10.0)):
        assert band_db(bright, low, high) - band_db(plain, low, high) > least
        assert band_db(plain, low, high) - band_db(dark, low, high) > least
    assert abs(band_db(bright, 200, 240) - band_db(plain, 200, 240)) < most_db


def test_resonance_sharpens_and_smooths() -> None:
    def peakiness(sound: Float) -> float:
        spectrum = 20 * np.log10(np.abs(np.fft.rfft(sound * np.hanning(len(sound)))) + 1e-9)
        bands = spectrum[100:8000].reshape(-1, 100).mean(1)
        return float(np.abs(np.diff(bands)).mean())

    smooth, plain, sharp = (peakiness(held(timbre="oboe", resonance=r)[RATE // 4 :]) for r in (-1, 0, 1))
    assert smooth < plain < sharp


def test_no_expression_leaves_every_sample_as_it_was() -> None:
    at_rest = {name: expression.rest for name, expression in EXPRESSIONS.items()}
    np.testing.assert_array_equal(held(0.4), held(0.4, ORGAN, 57, **at_rest))


def test_a_shaped_note_leaves_its_neighbour_alone() -> None:
    def last_of_two(shaped: bool) -> Float:
        engine = Engine(channels=1, seed=1)
        loud = engine.note_on(50, 100, timbre="violin", channel=1, seed=1, at=0)
        engine.note_on(70, 90, timbre="flute", seed=2, at=0)
        engine.channel_gain(0, 1, at=0)
        if shaped:
            for name in EXPRESSIONS:
                loud.express(name, EXPRESSIONS[name].max, at=100)
        return engine.read(RATE // 2)[2_000:]  # from where the channel is silent

    np.testing.assert_array_equal(last_of_two(False), last_of_two(True))


@pytest.mark.parametrize("read", [64, 65, 1000])
def test_samples_do_not_depend_on_read_sizes(read: int) -> None:
    def play(size: int) -> Float:
        engine = Engine(channels=1, seed=5, polyphony=3)
        note = engine.note_on(60, 90, timbre="violin", at=10)
        engine.note_on(64, 90, timbre="oboe", channel=1, at=999)
        note.express("vibrato", 0.4, 0.1, at=3001)
        engine.express("brightness", 4, 1, at=5003)
        engine.express("pressure", 0.7, None, at=7007)
        engine.express("resonance", -0.5, 0, at=9009)
        engine.sostenuto(True, 0, at=10_000)
        note.off(at=10_100)
        engine.sostenuto(False, 0, at=15_001)
        return np.concatenate([engine.read(min(size, 20_000 - at)) for at in range(0, 20_000, size)])

    np.testing.assert_array_equal(play(read), play(20_000))


def test_instrument_channel_and_note_add_up_within_the_limits() -> None:
    engine = Engine(channels=1, seed=1)
    engine.express("pressure", 0.4, None)
    engine.express("pressure", 0.3, 2)
    note = engine.note_on(60, timbre="flute", channel=2)
    engine.read(64)
    assert engine.allocator.expression_of(note)["pressure"] == pytest.approx(0.7)
    note.express("pressure", 0.9)
    engine.read(64)
    assert engine.allocator.expression_of(note)["pressure"] == 1.0


def test_listeners_are_called_for_each_used_channel() -> None:
    engine, told = Engine(channels=1, seed=1), list[Event]()
    engine.allocator.listeners.subscribe(lambda at, event: told.append(event))
    engine.express("brightness", 3, None)
    engine.note_on(60, timbre="flute", channel=4)
    engine.read(64)
    assert [type(event) for event in told] == [Expression, NoteOn]
    assert told[0] == Expression(4, "brightness", 3.0)
    engine.express("brightness", -2, None)
    engine.read(64)
    assert told[2:] == [Expression(4, "brightness", -2.0)]


def test_panic_resets_channel_expressions() -> None:
    engine = Engine(channels=1, seed=1)
    engine.express("vibrato", 0.5, 3)
    engine.express("vibrato", 0.25, None)
    engine.panic()
    note = engine.note_on(60, timbre="flute", channel=3)
    engine.read(64)
    assert engine.allocator.expression_of(note)["vibrato"] == 0.25


def test_sostenuto_holds_only_the_keys_that_were_down() -> None:
    engine = Engine(channels=1, seed=1)
    kept = engine.press(60, timbre=ORGAN)
    engine.read(640)
    engine.sostenuto(True)
    later = engine.press(64, timbre=ORGAN)
    engine.read(640)
    engine.lift(60)
    engine.lift(64)
    engine.read(640)
    assert kept.voice is not None
    assert not kept.voice.released
    assert later.voice is not None
    assert later.voice.released
    engine.sostenuto(False)
    engine.read(640)
    assert kept.voice.released


def test_sustain_and_sostenuto_release_when_both_are_up() -> None:
    engine = Engine(channels=1, seed=1)
    note = engine.press(60, timbre=ORGAN)
    engine.read(640)
    engine.sostenuto(True)
    engine.sustain(True)
    engine.lift(60)
    engine.sostenuto(False)
    engine.read(640)
    assert note.voice is not None
    assert not note.voice.released
    engine.sustain(False)
    engine.read(640)
    assert note.voice.released


def test_silence_stays_silent_however_bright() -> None:
    model = load_model()
    mean, std = (np.array(x, np.float32) for x in (model.manifest.mel.mean, model.manifest.mel.std))
    shaper = SpectrumShaper(model.mel, mean, std)
    silence = np.broadcast_to((np.log(model.mel.floor) - mean) / std, (1, 4, len(mean))).astype(np.float32)
    f0, full = np.full((1, 4), 100.0, np.float32), np.full((1, 4), 6.0, np.float32)
    np.testing.assert_array_equal(shaper(silence, f0, full, np.ones_like(full)), silence)


@pytest.mark.parametrize(("name", "value"), [("vibrato", 1.5), ("brightness", float("nan")), ("pressure", -0.1)])
def test_values_out_of_range_are_named(name: str, value: float) -> None:
    with pytest.raises(CmaudioError, match=f"{name} must be a number from"):
        checked_expression(name, value)


def test_an_unknown_expression_error_lists_the_known_ones() -> None:
    with pytest.raises(CmaudioError, match="no expression 'growl'; available: vibrato, pressure, brightness"):
        Engine(channels=1, seed=1).express("growl", 1)
