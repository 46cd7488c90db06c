"""Which voice is stolen, and the limiter."""

from __future__ import annotations

import numpy as np
import pytest
from fixtures.engine import (
    RATE,
    STEADY,
)

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model


def settle(engine: Engine) -> None:
    engine.read(12_000)


def test_steals_a_released_note_before_a_quieter_held_one(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=3)
    quiet = engine.note_on(60, 15, timbre=STEADY)
    released = engine.note_on(55, 127, timbre="tubular bells")
    loud = engine.note_on(64, 127, timbre=STEADY)
    settle(engine)
    released.off()
    engine.read(64)
    engine.note_on(72)
    engine.read(1024)
    assert [note.ended for note in (quiet, released, loud)] == [False, True, False]


def test_steals_a_note_released_at_the_same_moment(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=2)
    quiet, released = engine.note_on(60, 15, timbre=STEADY), engine.note_on(55, 127, timbre="trumpet")
    released.off(at=12_000)
    engine.note_on(72, at=12_000)
    engine.read(14_000)
    assert [note.ended for note in (quiet, released)] == [False, True]


def test_notes_that_are_cut_off_are_counted_and_each_burst_is_told_once(model: Model) -> None:
    engine, told = Engine(model, polyphony=2), list[int]()
    engine.allocator.stealing.listen(lambda: told.append(engine.allocator.stealing.count))
    released = engine.note_on(55, 127, timbre="tubular bells")
    settle(engine)
    released.off()
    for pitch in (60, 62):  # takes the voice of a note that only rings
        engine.note_on(pitch, timbre=STEADY)
        engine.read(1024)
    assert (engine.state().stolen, told) == (0, [])
    for at, pitch in ((RATE, 64), (RATE + 100, 65), (2 * RATE, 67), (20 * RATE, 69), (20 * RATE + 100, 71)):
        engine.note_on(pitch, timbre=STEADY, at=at)
    for _ in range(21):
        engine.read(RATE)
    assert (engine.state().stolen, told) == (5, [1, 4])


def test_steals_the_quietest_of_held_notes(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=3)
    loud, quiet, last = (engine.note_on(60, velocity, timbre="trumpet", seed=1) for velocity in (127, 15, 120))
    settle(engine)
    engine.note_on(72)
    engine.read(1024)
    assert [note.ended for note in (loud, quiet, last)] == [False, True, False]


def test_steals_the_oldest_of_equals(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=3)
    young, old, middle = (engine.note_on(60, timbre=STEADY, seed=1, at=at) for at in (120, 0, 60))
    settle(engine)
    engine.note_on(72)
    engine.read(1024)
    assert [note.ended for note in (young, old, middle)] == [False, True, False]


@pytest.mark.parametrize("polyphony", [1, 2])
def test_only_fading_voices_exceed_the_polyphony(model: Model, polyphony: int) -> None:
    engine = Engine(model, channels=1, polyphony=polyphony)
    for index in range(8):
        engine.note_on(50 + index, at=index * 600)
    for _ in range(10):
        engine.read(600)
        assert engine.state().voices <= polyphony + 1
    assert engine.state().voices == polyphony


def test_limiter_holds_32_loud_voices(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=32, gain_db=24)
    for index in range(32):
        engine.note_on(36 + 1.5 * index, 127, timbre=("trumpet", "violin", STEADY)[index % 3])
    found = engine.read(RATE // 2)
    assert 0.9 < np.abs(found).max() <= 10 ** (-0.3 / 20) * (1 + 1e-6)
    state = engine.state()
    assert state.voices == 32
    assert state.reduction_db < -6
    assert -0.4 < state.peak_db < 0
    assert engine.state().peak_db < -100  # told once


def test_a_note_stolen_as_it_begins_takes_no_voice(model: Model) -> None:
    engine = Engine(model, polyphony=4)
    notes = [engine.note_on(40 + i % 40, at=0) for i in range(200)]
    engine.read(64)
    assert len(engine.allocator.voices) == 4
    assert sum(not note.ended for note in notes) == 4


def test_counts_what_sounds_alike_when_events_come_in_any_order(model: Model) -> None:
    engine = Engine(model, polyphony=3)
    early = [engine.note_on(60 + i, at=4_000) for i in range(3)]
    engine.read(64)
    late = engine.note_on(50)
    engine.read(64)
    assert not late.ended
    assert len(engine.allocator.voices) == 3
    assert sum(note.ended for note in early) == 1
