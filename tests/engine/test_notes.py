"""Notes, seeds and time."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.engine import (
    RATE,
    STEADY,
    performance,
    read_until_idle,
    rms,
)

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float


def test_same_seed_same_samples_whatever_else_sounds(model: Model) -> None:
    found = []
    for others in (0, 1, 4, 7):
        engine = Engine(model, channels=1)
        engine.channel_gain(0, 1, at=0)  # others are computed, and add exact zeros
        note = engine.note_on(62, 90, timbre="violin", seed=11, at=2000)
        note.bend(1, at=5000)
        for index in range(others):
            engine.note_on(40 + 5 * index, timbre="cello", channel=1, at=1000 + 777 * index)
        found.append(engine.read(20_000))
    assert rms(found[0]) > 0.001
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


def test_seeds_differ_and_the_engines_seed_decides(model: Model) -> None:
    def play(engine_seed: int, seed: int | None) -> Float:
        engine = Engine(model, channels=1, seed=engine_seed)
        engine.note_on(60, seed=seed)
        return engine.read(6000)

    np.testing.assert_array_equal(play(1, None), play(1, None))
    np.testing.assert_array_equal(play(1, 5), play(2, 5))
    assert np.abs(play(1, None) - play(2, None)).max() > 1e-4
    assert np.abs(play(1, 5) - play(1, 6)).max() > 1e-4


@pytest.mark.parametrize("shift", [1, 63, 64, 777, 5000])
def test_a_note_moved_by_n_samples_moves_its_sound_by_n(model: Model, shift: int) -> None:
    found = []
    for start in (100, 100 + shift):
        engine = Engine(model, channels=1)
        note = engine.note_on(60, timbre="marimba", seed=2, at=start)
        note.bend(1, at=start + 999)
        note.off(at=start + 3001)
        found.append(engine.read(12_000 + shift))
        assert not found[-1][: start + engine.latency_samples].any()
        assert found[-1][start + engine.latency_samples : start + 480].any()
    np.testing.assert_array_equal(found[1][shift:], found[0][:12_000])


def test_an_event_in_the_past_happens_now(model: Model) -> None:
    engine = Engine(model, channels=1)
    engine.read(640)
    engine.note_on(60, at=3)
    assert engine.read(9600).any()


@pytest.mark.parametrize(
    "pedal",
    [
        False,
        pytest.param(True),
    ],
)
def test_a_note_released_before_it_begins_never_sounds(model: Model, pedal: bool) -> None:
    engine = Engine(model, channels=1)
    engine.sustain(pedal)
    note = engine.note_on(60, at=20_000)
    note.off(at=5000)
    assert not engine.read(30_000).any()
    assert note.ended
    assert engine.idle


def test_a_note_released_just_before_it_begins_never_sounds(model: Model) -> None:
    engine = Engine(model, channels=1)
    note = engine.note_on(60, at=3000)
    engine.read(64)
    note.off(at=500)
    assert not engine.read(30_000).any()


@pytest.mark.parametrize("timbre", ["acoustic grand piano", STEADY, "pad 2 (warm)"])
def test_voices_end_after_release(model: Model, timbre: str) -> None:
    engine = Engine(model, channels=1)
    note = engine.note_on(60, timbre=timbre)
    note.off(at=24_000)
    engine.read(24_000)
    assert engine.state().voices == 1
    read_until_idle(engine, seconds=7)
    assert engine.now <= 24_000 + 7 * RATE
    assert note.ended
    note.off()
    note.bend(1)
    note.morph("violin")
    assert not engine.read(4800).any()
    assert engine.state().voices == 0


def test_louder_velocity_is_louder(model: Model) -> None:
    levels = []
    for velocity in (20, 50, 80, 127):
        engine = Engine(model, channels=1)
        engine.note_on(60, velocity, timbre="violin", seed=1)
        levels.append(rms(engine.read(24_000)))
    assert levels == sorted(levels)
    assert levels[-1] > 2 * levels[0]


def test_two_steps_differ_from_one_and_repeat_themselves(model: Model, offline: Float) -> None:
    fine = performance(model, 26_000, steps=2)
    np.testing.assert_allclose(performance(model, 512, steps=2), fine, atol=1e-4)
    assert np.abs(fine - offline).max() > 1e-3
    assert 0.5 < rms(fine) / rms(offline) < 2


def test_a_note_may_be_named(model: Model) -> None:
    sounds = []
    for pitch in (60, "C4"):
        engine = Engine(model, channels=1)
        engine.note_on(pitch, seed=1)
        sounds.append(engine.read(4800))
    np.testing.assert_array_equal(sounds[0], sounds[1])
