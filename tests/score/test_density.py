"""Scores with more notes at once than an instrument can sound."""

from __future__ import annotations

import pytest
from fixtures.deadline import deadline
from fixtures.midi_files import midi_bytes, off, on

from cmaudio.errors import CmaudioError
from cmaudio.model.file import Model
from cmaudio.score import smf
from cmaudio.score.arrangement import NOTES_IN_WINDOW, arrange, playable
from cmaudio.score.events import Event, NoteOff, NoteOn, Score, Sustain
from cmaudio.score.midi_file import parse_midi


def struck(count: int, seconds: float) -> list[tuple[float, Event]]:
    """Notes that begin evenly within some seconds; each ends before its key is struck again."""
    events: list[tuple[float, Event]] = []
    for i in range(count):
        at, key = seconds * i / count, (i // 16 % 16, 40 + i % 16)
        events += [(at, NoteOn(*key, 90, 0)), (at, NoteOff(*key))]
    return events


@pytest.mark.parametrize(
    ("count", "seconds", "kept"),
    [
        (NOTES_IN_WINDOW, 0.0, NOTES_IN_WINDOW),
        (NOTES_IN_WINDOW + 1, 0.0, NOTES_IN_WINDOW),
        (100_000, 0.0, NOTES_IN_WINDOW),
        (20_000, 1.0, 10 * NOTES_IN_WINDOW),
        (2_000, 1.0, 2_000),
    ],
)
def test_notes_beyond_what_can_sound_are_left_out_with_their_ends(count: int, seconds: float, kept: int) -> None:
    events = [event for _, event in playable(struck(count, seconds))]
    assert [isinstance(event, NoteOn) for event in events] == [True, False] * kept


def test_other_events_stay() -> None:
    events: list[tuple[float, Event]] = [*struck(1000, 0.0), (0.0, Sustain(0, True))]
    assert list(playable(events))[-1] == (0.0, Sustain(0, True))


def test_notes_left_out_are_told(model: Model) -> None:
    score = Score("dense", struck(300, 0.0), 0.1, programs=[0])
    assert arrange(score, model).notices == ["44 notes left out: more than 256 begin within 0.1 s"]


def test_a_score_as_dense_as_music_is_untouched(model: Model) -> None:
    score = Score("chord", struck(100, 0.0), 0.1, programs=[0])
    assert arrange(score, model).score is score


@pytest.mark.parametrize(
    "data",
    [
        midi_bytes([on(60 + i % 20) for i in range(20_000)], [off(60)]),
        midi_bytes(*[[on(60), off(60)]] * 2_000),
        midi_bytes(*[[on(60), off(60)]] * 2_000, kind=2),
    ],
    ids=["one tick", "many tracks", "many independent tracks"],
)
def test_large_files_are_read_quickly(data: bytes) -> None:
    with deadline(60):
        assert parse_midi(data, "large.mid").events


def test_more_messages_than_allowed_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smf, "MAX_MESSAGES", 100)
    with pytest.raises(CmaudioError, match="more than 100 messages"):
        parse_midi(midi_bytes([on(60), off(60)] * 60), "large.mid")
