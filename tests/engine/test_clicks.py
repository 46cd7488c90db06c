"""Nothing that happens to a note clicks; panic."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from fixtures.engine import (
    PURE,
    STEADY,
    second_difference,
)

from cmaudio.engine.engine import Engine
from cmaudio.engine.note import Note
from cmaudio.model.file import Model


def steal(engine: Engine, note: Note) -> None:
    engine.note_on(45, 20, timbre=PURE)


def lift_pedal(engine: Engine, note: Note) -> None:
    engine.sustain(False)


DISTURBANCES: dict[str, Callable[[Engine, Note], None]] = {
    "steal": steal,
    "bend": lambda engine, note: note.bend(0.7),
    "jump": lambda engine, note: note.bend(-5, 0),
    "wheel": lambda engine, note: engine.pitch_wheel(-0.5),
    "morph": lambda engine, note: note.morph("recorder"),  # as pure, so that a click stands out
    "release": lambda engine, note: note.off(),
    "lift the pedal": lift_pedal,
    "panic": lambda engine, note: engine.panic(),
    "a longer attack": lambda engine, note: note.express("attack", 4, 0),
    "a shorter decay": lambda engine, note: note.express("decay", -4, 0),
    "sustain up": lambda engine, note: note.express("sustain", 12, 0),
    "sustain down": lambda engine, note: note.express("sustain", -48, 0),
    "channel gain": lambda engine, note: engine.channel_gain(0.1),
    "master gain": lambda engine, note: engine.master_gain(-30),
}


@pytest.mark.parametrize("kind", DISTURBANCES)
@pytest.mark.parametrize("moment", [24_000, 24_617, 26_049])
def test_no_click(model: Model, kind: str, moment: int) -> None:
    engine = Engine(model, channels=1, polyphony=1)
    note = engine.note_on(57, 100, timbre=PURE, seed=1)
    if kind == "lift the pedal":
        engine.sustain(True)
        note.off(at=20_000)
    before = engine.read(moment)[moment - 9600 :]
    DISTURBANCES[kind](engine, note)
    after = engine.read(4800)
    whole = np.concatenate([before, after])
    assert np.abs(before).max() > 0.1
    # A cut at the signal's peak would show as a second difference of a third of that peak and more.
    # A pitch that jumps within a sample bends the waveform's slope, and no more.
    allowed = 12 if kind == "jump" else 3
    smooth = max(second_difference(before), second_difference(after[-1200:]))  # as what it becomes is by itself
    assert second_difference(whole) < allowed * smooth
    assert second_difference(before) < 0.02 * np.abs(before).max()


@pytest.mark.parametrize("repeats", [7, 64, 777])
def test_a_storm_of_bends_does_not_click(model: Model, repeats: int) -> None:
    engine, rng = Engine(model, channels=1), np.random.default_rng(0)
    note = engine.note_on(57, 100, timbre=PURE, seed=1)
    calm = engine.read(24_000)[12_000:]
    parts = []
    for _ in range(4800 // repeats):
        note.bend(float(rng.uniform(-0.5, 0.5)))
        parts.append(engine.read(repeats))
    assert second_difference(np.concatenate([calm, *parts])) < 4 * second_difference(calm)


def test_panic_is_silent_within_5_ms_and_resets(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.sustain(True)
    engine.bend(3)
    engine.note_on(60, timbre=STEADY)
    later = engine.note_on(60, at=40_000)
    engine.read(12_800)
    engine.panic()
    found = engine.read(38_400)
    assert not found[engine.latency_samples + 240 + 64 :].any()
    assert engine.idle
    later.off()
    # Pedal and bend are as on a new engine.
    fresh = Engine(model, channels=1)
    for one in (engine, fresh):
        one.note_on(60, seed=3).off(at=one.now + 3000)
    np.testing.assert_array_equal(engine.read(9600)[64:], fresh.read(9600)[64:])


def test_panic_drops_a_note_that_is_about_to_begin(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.note_on(60, at=3000)
    engine.read(64)
    engine.panic()
    assert not engine.read(12_000).any()


def test_a_note_struck_after_a_panic_sounds(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.panic()
    engine.note_on(60)
    assert engine.read(9600).any()


def test_panic_on_a_soft_channel_is_not_loud(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.channel_gain(0.05)
    engine.note_on(57, 100, timbre=PURE, seed=1)
    before = engine.read(24_617)[12_000:]
    engine.panic()
    after = engine.read(4800)
    assert np.abs(after).max() < 1.2 * np.abs(before).max()
    assert second_difference(np.concatenate([before, after])) < 3 * second_difference(before)
