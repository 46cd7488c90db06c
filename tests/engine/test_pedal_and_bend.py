"""Pedals and bends."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fixtures.engine import (
    PURE,
    RATE,
    STEADY,
    rms,
)

from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float


def level_after(engine: Engine, seconds: float) -> float:
    engine.read(round(seconds * RATE))
    return rms(engine.read(4800))


def test_sustain_pedal_holds_released_notes_of_its_channel(model: Model) -> None:
    engine = Engine(model, channels=1)
    note = engine.note_on(60, timbre=STEADY, channel=2)
    engine.read(12_000)
    engine.sustain(True, 2)
    note.off()
    held = level_after(engine, 0.5)
    assert held > 0.005
    engine.sustain(False, 3)  # another channel's foot
    assert level_after(engine, 0.3) > 0.5 * held
    engine.sustain(False, 2)
    assert level_after(engine, 0.5) < 0.1 * held


def test_lifting_the_pedal_leaves_keys_that_are_down(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.sustain(True)
    note = engine.note_on(60, timbre=STEADY)
    engine.read(12_000)
    engine.sustain(False)
    assert level_after(engine, 0.5) > 0.005
    assert not note.ended
    engine.sustain(True)
    engine.all_notes_off()  # lifts the pedal too
    assert level_after(engine, 0.5) < 0.0005


def test_pedal_put_down_after_the_release_is_too_late(model: Model) -> None:
    engine = Engine(model, channels=1)
    note = engine.note_on(60, timbre=STEADY)
    engine.read(12_000)
    note.off()
    engine.read(64)
    engine.sustain(True)
    assert level_after(engine, 0.5) < 0.0005


def bent(model: Model, bend: Callable[[Engine, Note], None], bend_range: float = 2) -> Float:
    engine = Engine(model, channels=1, bend_range=bend_range)
    note = engine.note_on(60, timbre=PURE, seed=1, channel=3)
    engine.read(6000)
    bend(engine, note)
    return engine.read(9600)


def test_pitch_wheel_times_range_is_a_bend(model: Model) -> None:
    wheel = bent(model, lambda engine, note: engine.pitch_wheel(-0.5, 3), bend_range=12)
    np.testing.assert_array_equal(wheel, bent(model, lambda engine, note: engine.bend(-6, 3)))
    np.testing.assert_array_equal(wheel, bent(model, lambda engine, note: note.bend(-6)))
    straight = bent(model, lambda engine, note: engine.bend(-6, 4))
    assert np.abs(wheel - straight).max() > 0.01


def pitch_of(x: Float) -> float:
    """Hz of the strongest partial, from the phase advance between two windows."""
    size, hop = len(x) - 240, 240
    one, other = (np.fft.rfft(x[i : i + size] * np.hanning(size), 2**17) for i in (0, hop))
    peak = int(np.abs(one).argmax())
    rough, advance = peak / 2**17, np.angle(other[peak] / one[peak]) / (2 * np.pi)
    return float((round(rough * hop - advance) + advance) / hop * RATE)


def test_bends_add_up_and_hold_for_notes_to_come(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.bend(1.5)
    note = engine.note_on(60, timbre=PURE, seed=1)
    engine.read(24_000)
    assert pitch_of(engine.read(9600)) == pytest.approx(261.6256 * 2 ** (1.5 / 12), rel=0.01)
    note.bend(2)
    engine.read(4800)
    assert pitch_of(engine.read(9600)) == pytest.approx(261.6256 * 2 ** (3.5 / 12), rel=0.01)
    engine.bend(-1)
    engine.read(4800)
    assert pitch_of(engine.read(9600)) == pytest.approx(261.6256 * 2 ** (1 / 12), rel=0.01)


@pytest.mark.parametrize("moment", [24_000, 24_617, 25_900, 26_049])
def test_a_live_bend_is_heard_within_10_ms(model: Model, moment: int) -> None:
    engine = Engine(model, channels=1)
    note = engine.note_on(57, 100, timbre="ocarina", seed=1)
    before = engine.read(moment)[-9600:]
    note.bend(3)
    x = np.concatenate([before, engine.read(9600)]).astype(np.float64)
    # The analytic signal of the band around the fundamental: its phase advance is the pitch at each sample.
    hz = np.fft.fftfreq(len(x), 1 / RATE)
    analytic = np.fft.ifft(np.fft.fft(x) * np.where((hz > 130) & (hz < 390), 2, 0))
    pitch = np.angle(analytic[1:] / analytic[:-1]) * RATE / (2 * np.pi)
    low, high = 220, 220 * 2 ** (3 / 12)
    assert np.abs(pitch[4800:9000] - low).mean() < 5
    assert np.abs(pitch[10_500:15_000] - high).mean() < 5
    halfway = int(np.flatnonzero(pitch[8000:] > (low + high) / 2)[0]) + 8000 - 9600
    assert 0 < halfway < 480
