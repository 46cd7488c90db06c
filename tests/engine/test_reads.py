"""Reads of any size give the same samples."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from fixtures.engine import (
    RATE,
    STEADY,
    performance,
    read_until_idle,
    rms,
    schedule_a_bit_of_everything,
)

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.score.events import NoteOff, NoteOn, PitchBend, Score, Sustain
from cmaudio.signal.dsp import Float


@pytest.mark.parametrize("read", [1, 64, 65, 512, 8193])
def test_streaming_equals_offline(model: Model, offline: Float, read: int) -> None:
    assert rms(offline) > 0.01
    np.testing.assert_allclose(performance(model, read), offline, atol=1e-4)


def test_a_second_thread_changes_nothing(model: Model, offline: Float) -> None:
    for read in (512, 26_000):
        np.testing.assert_allclose(performance(model, read, threads=2), offline, atol=1e-4)


def test_uneven_reads_lose_and_repeat_nothing(model: Model, offline: Float) -> None:
    engine = Engine(model, channels=1, polyphony=4, seed=7)
    schedule_a_bit_of_everything(engine)
    sizes = [0, 1, 63, 64, 0, 2000, 7, 129, 5000, 1, 4096, 999]
    found = np.concatenate([engine.read(size) for size in sizes])
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, offline[: sum(sizes)], atol=1e-4)


def test_making_blocks_ahead_changes_nothing_that_was_scheduled(model: Model) -> None:
    expected = performance(model, 26_000, polyphony=16)
    for read in (512, 4096):
        found = performance(model, read, polyphony=16, batch_ahead_samples=2048)
        np.testing.assert_allclose(found, expected, atol=1e-4)


def test_making_blocks_ahead_steals_the_same_voices(model: Model, offline: Float) -> None:
    np.testing.assert_allclose(performance(model, 4096, batch_ahead_samples=2048), offline, atol=1e-4)


def crowded_score(seconds: float) -> Score:
    """Short and long notes that die away, ring on under the pedal, are bent, and are at times more than six."""
    rng = np.random.default_rng(5)
    found: list[tuple[float, Any]] = []
    for at in np.arange(0.05, seconds - 1, 0.11):
        pitch, channel = int(rng.integers(40, 84)), int(rng.integers(0, 2))
        found.append((float(at), NoteOn(channel, pitch, int(rng.integers(30, 120)), channel)))
        found.append((float(at + rng.choice([0.06, 0.2, 0.9])), NoteOff(channel, pitch)))
    found += [(1.0, Sustain(0, True)), (1.6, Sustain(0, False)), (2.0, PitchBend(1, 1.5)), (2.3, PitchBend(1, 0.0))]
    return Score("crowd", sorted(found, key=lambda pair: pair[0]), seconds, [0, 1], [], [])


@pytest.mark.parametrize("polyphony", [5, 32])
def test_looking_ahead_changes_nothing_that_was_scheduled(model: Model, polyphony: int) -> None:
    found = []
    for settings in ({}, {"look_ahead_samples": 2**17}, {"look_ahead_samples": 2**17, "threads": 2, "pipelined": True}):
        engine = Engine(model, channels=1, polyphony=polyphony, **settings)  # type: ignore[arg-type]
        engine.play(crowded_score(4.0), {0: "acoustic grand piano", 1: "marimba"})
        found.append(np.concatenate([engine.read(8193) for _ in range(24)]))
    assert rms(found[0]) > 0.005
    np.testing.assert_array_equal(found[1], found[2])
    np.testing.assert_allclose(found[1], found[0], atol=1e-4)


def test_a_late_event_with_look_ahead_acts_after_the_blocks_already_made(model: Model) -> None:
    ahead = RATE
    engine = Engine(model, channels=1, look_ahead_samples=ahead)
    note = engine.note_on(62, 100, timbre=STEADY, at=0)
    before = engine.read(4096)
    note.bend(3)
    note.off(at=RATE // 2)
    whole = np.concatenate([before, *(engine.read(4096) for _ in range(48))])
    undisturbed = Engine(model, channels=1, look_ahead_samples=ahead)
    undisturbed.note_on(62, 100, timbre=STEADY, at=0)
    untouched = ahead - 2 * 2048  # the block in which it takes effect, and the reach of its windows
    np.testing.assert_array_equal(whole[:untouched], undisturbed.read(untouched))
    read_until_idle(engine, 8)


def test_warm_up_is_not_heard(model: Model) -> None:
    found = []
    for warm in (False, True):
        engine = Engine(model, channels=1)
        if warm:
            engine.warm_up()
        engine.note_on(60, seed=1)
        found.append(engine.read(6000))
        assert engine.state().voices == 1
    np.testing.assert_array_equal(found[0], found[1])
