"""Blocks made in time to spare, and what is shed when the machine falls behind."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from fixtures.engine import (
    RATE,
    STEADY,
    performance,
    schedule_a_bit_of_everything,
)

from cmaudio.engine.engine import Engine
from cmaudio.model.file import Model
from cmaudio.synthesis.batching import batch_to_spare
from cmaudio.synthesis.voice import Voice


@pytest.mark.parametrize("times", [1, 2, 20])
def test_preparing_ahead_changes_no_sample(model: Model, times: int) -> None:
    """Also where it stops between the two halves of a block."""
    engine = Engine(model, channels=1, polyphony=4, seed=7, batch_ahead_samples=1024)
    schedule_a_bit_of_everything(engine)
    parts, did = [], 0
    for start in range(0, 26_000, 256):
        did += sum(engine.prepare() for _ in range(times))
        parts.append(engine.read(min(256, 26_000 - start)))
    assert did > 20
    np.testing.assert_array_equal(np.concatenate(parts), performance(model, 256))


def test_reads_render_nothing_after_everything_is_prepared(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(model, channels=1, seed=7, batch_ahead_samples=1024)
    for key in (50, 57, 64, 71):
        engine.note_on(key, at=300 * key % 700)
    made, render = list[int](), engine._renderer.render

    def watched(voices: Sequence[Voice]) -> None:
        made.append(len(voices))
        render(voices)

    monkeypatch.setattr(engine._renderer, "render", watched)
    for _ in range(40):
        while engine.prepare():
            pass
        made.clear()
        engine.read(128)
        assert not made


def test_two_step_voices_share_evaluations_with_fewer_others(model: Model) -> None:
    engine = Engine(model, channels=1, steps=2)
    notes = [engine.note_on(40 + 3 * i, timbre=STEADY) for i in range(8)]
    engine.read(2_000)
    voices = [note.voice for note in notes if note.voice is not None]
    assert len(voices) == 8
    assert len(batch_to_spare([*voices, *voices], engine.now, 2 * RATE)) == 8, "sixteen evaluations of 32"
    assert len(batch_to_spare(voices[:4], engine.now, 2 * RATE)) == 2, "four of eight: what begins meanwhile waits less"
    for voice in voices:
        voice.steps = 1
    assert len(batch_to_spare(voices, engine.now, 2 * RATE)) == 4


def test_overload_steals_released_voices_first_and_restores_the_limit(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=12)
    notes = [engine.note_on(40 + 3 * i, timbre=STEADY) for i in range(12)]
    engine.read(2_000)
    for note in notes[:2]:
        note.off()
    engine.read(2_000)
    assert (engine.state().voices, engine.state().limit) == (12, 12)
    for _ in range(8):
        engine.on_overload()
        engine.read(1_000)
        assert any(note.ended for note in notes[:2]), "first a note that was let go"
    assert all(note.ended for note in notes[:2])
    assert engine.state().limit == 4, "few voices are not why a machine falls behind"
    engine.on_overload()
    assert engine.state().limit == engine.state().voices == 4
    engine.note_on(90, timbre=STEADY)
    engine.read(1_000)
    assert engine.state().voices == 4
    engine.all_notes_off()
    for _ in range(33):
        engine.read(RATE)
    assert engine.state().limit == 12


def test_overload_makes_blocks_in_one_step_until_restored(model: Model) -> None:
    engine = Engine(model, channels=1, polyphony=6, steps=2)
    note = engine.note_on(50, timbre=STEADY)
    engine.read(2_000)
    assert note.voice is not None
    assert note.voice.steps == 2
    engine.on_overload()
    during = engine.note_on(60, timbre=STEADY)
    engine.read(2_000)
    assert during.voice is not None
    assert (note.voice.steps, during.voice.steps) == (1, 1)
    assert engine.state().limit == 6, "two voices are not why a machine falls behind"
    for _ in range(5):
        engine.read(RATE)
    after = engine.note_on(70, timbre=STEADY)
    engine.read(2_000)
    assert after.voice is not None
    assert after.voice.steps == 2


def test_a_prepared_note_is_made_before_it_is_read(model: Model) -> None:
    engine = Engine(model, channels=1, seed=7)
    note = engine.note_on(60, at=500)
    engine.prepare()
    assert note.voice is not None
    assert note.voice.network is not None, "its first block is there"
    assert engine.now == 0
