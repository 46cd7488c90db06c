"""Scores written as MIDI files and read again."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cmaudio.errors import CmaudioError
from cmaudio.score.events import (
    AllNotesOff,
    ChannelGain,
    Event,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Score,
    Sostenuto,
    Sustain,
)
from cmaudio.score.midi_file import read_midi, write_midi

moments = st.integers(0, 2000).map(lambda tick: tick / 100)


@st.composite
def scores(draw: st.DrawFn) -> Score:
    events: list[tuple[float, Event]] = []
    for i in range(draw(st.integers(1, 12))):
        channel, start = draw(st.integers(0, 15)), draw(moments)
        program = 0 if channel == 9 else draw(st.integers(0, 127))
        events.append((start, NoteOn(channel, 30 + i, draw(st.integers(1, 127)), program)))
        events.append((start + draw(st.integers(1, 300)) / 100, NoteOff(channel, 30 + i)))
    events.sort(key=lambda pair: pair[0])
    return Score("song", events, events[-1][0])


@given(scores())
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_notes_written_are_read_again(tmp_path: Path, score: Score) -> None:
    write_midi(tmp_path / "song.mid", score)
    again = read_midi(tmp_path / "song.mid")
    assert again.notices == []

    def by_channel(pairs: list[tuple[float, Event]]) -> list[tuple[int, int, str]]:
        return sorted((event.channel, round(when * 1000), repr(event)) for when, event in pairs)

    assert by_channel(again.events) == by_channel(score.events)


def test_controls_written_are_read_again(tmp_path: Path) -> None:
    events: list[tuple[float, Event]] = [
        (0.0, ChannelGain(3, 0.25)),
        (0.0, NoteOn(3, 60, 100, 40)),
        (0.25, Sostenuto(3, True)),
        (0.5, Sustain(3, True)),
        (0.5, KeyPressure(3, 60, 1.0)),
        (0.5, PitchBend(3, -6.5)),
        (0.75, PitchBend(3, 7.0)),
        (1.0, Sustain(3, False)),
        (1.25, Sostenuto(3, False)),
        (1.5, NoteOff(3, 60)),
        (1.5, AllNotesOff(3)),
    ]
    write_midi(tmp_path / "a.mid", Score("Ärger 音", events, 1.5))
    again = read_midi(tmp_path / "a.mid").events
    assert [when for when, _ in again] == pytest.approx([when for when, _ in events], abs=1e-4)
    assert [type(event) for _, event in again] == [type(event) for _, event in events]
    assert [event.gain for _, event in again if isinstance(event, ChannelGain)] == pytest.approx([0.25], abs=0.01)
    assert [e.down for _, e in again if isinstance(e, Sostenuto)] == [True, False]
    assert [e.value for _, e in again if isinstance(e, KeyPressure)] == [1.0]
    assert [e.semitones for _, e in again if isinstance(e, PitchBend)] == pytest.approx([-6.5, 7.0], abs=0.002)


def test_writing_where_it_cannot_be_leaves_nothing(tmp_path: Path) -> None:
    score = Score("a", [(0.0, NoteOn(0, 60, 80, 0)), (1.0, NoteOff(0, 60))], 1.0)
    with pytest.raises(CmaudioError, match="no folder"):
        write_midi(tmp_path / "none" / "a.mid", score)
    with pytest.raises(CmaudioError, match="is a directory"):
        write_midi(tmp_path, score)
    assert list(tmp_path.iterdir()) == []
