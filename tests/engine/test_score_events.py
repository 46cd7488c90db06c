"""A score's pedals and key pressure: what the engine plays is what it tells its listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cmaudio.engine.engine import Engine
from cmaudio.instrument.recorder import Recorder
from cmaudio.score.events import Event, KeyPressure, NoteOff, NoteOn, Score, Sostenuto

if TYPE_CHECKING:
    from conftest import TinyModel


@pytest.fixture
def recorder(tiny: TinyModel) -> Recorder:
    return Recorder(Engine(tiny.model, polyphony=4))


def play(recorder: Recorder, events: list[tuple[float, Event]]) -> list[Event]:
    told: list[Event] = []
    recorder.subscribe(lambda _at, event: told.append(event))
    recorder.engine.play(Score("piece", events, 1.0, [0]), {0: "first"})
    recorder.read(round(1.1 * recorder.sample_rate))
    return told


def test_sostenuto_holds_the_keys_that_were_down(recorder: Recorder) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, NoteOn(0, 60, 90, 0)),
        (0.1, Sostenuto(0, True)),
        (0.2, NoteOn(0, 64, 90, 0)),
        (0.3, NoteOff(0, 60)),
        (0.3, NoteOff(0, 64)),
    ]
    told = play(recorder, events)
    held = [note for note in recorder.engine.allocator.notes.values() if note.voice and not note.voice.released]
    assert [round(note.pitch) for note in held] == [60]
    assert [event for event in told if not isinstance(event, NoteOn)] == [
        Sostenuto(0, True),
        NoteOff(0, 60),
        NoteOff(0, 64),
    ]


def test_key_pressure_shapes_the_note_of_its_key(recorder: Recorder) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, NoteOn(2, 60, 90, 0)),
        (0.0, NoteOn(2, 64, 90, 0)),
        (0.1, KeyPressure(2, 64, 0.5)),
        (0.1, KeyPressure(2, 70, 1.0)),  # no such key is down
    ]
    told = play(recorder, events)
    shaped = {round(note.pitch): note.expression for note in recorder.engine.allocator.notes.values()}
    assert shaped == {60: {}, 64: {"pressure": 0.5}}
    assert [event for event in told if isinstance(event, KeyPressure)] == [KeyPressure(2, 64, 0.5)]


def test_panic_reports_the_sostenuto_pedal_as_up(recorder: Recorder) -> None:
    told = play(recorder, [(0.0, NoteOn(0, 60, 90, 0)), (0.1, Sostenuto(0, True))])
    recorder.engine.panic()
    recorder.read(64)
    assert told[-1] == Sostenuto(0, False)
