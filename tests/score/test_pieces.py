from collections import defaultdict
from pathlib import Path

import pytest

from cmaudio.score.events import ChannelGain, NoteOff, NoteOn, PitchBend, Score, Sustain
from cmaudio.score.midi_file import read_midi, write_midi
from cmaudio.score.pieces import builtin_piece


@pytest.fixture
def piece() -> Score:
    return builtin_piece()


def test_is_a_short_piece_for_a_few_channels(piece: Score) -> None:
    assert 20 <= piece.duration <= 25
    assert piece.duration == piece.events[-1][0]
    channels = {event.channel for _, event in piece.events if isinstance(event, NoteOn)}
    assert 3 <= len(channels) <= 5
    assert sorted(piece.programs) == sorted({e.program for _, e in piece.events if isinstance(e, NoteOn)})
    assert max(piece.programs) < 96
    assert piece.percussion == []
    assert piece.notices == []


def test_events_are_ordered_and_in_range(piece: Score) -> None:
    times = [time for time, _ in piece.events]
    assert times == sorted(times)
    assert times[0] == 0.0
    for _, event in piece.events:
        if isinstance(event, NoteOn):
            assert 1 <= event.velocity <= 127
            assert 28 <= event.pitch <= 96
        if isinstance(event, ChannelGain):
            assert 0 < event.gain <= 1


def test_every_note_starts_once_and_ends(piece: Score) -> None:
    sounding: set[tuple[int, int]] = set()
    for _, event in piece.events:
        if isinstance(event, NoteOn):
            assert (event.channel, event.pitch) not in sounding
            sounding.add((event.channel, event.pitch))
        elif isinstance(event, NoteOff):
            sounding.remove((event.channel, event.pitch))
    assert not sounding


def test_pedal_and_bends_end_at_rest(piece: Score) -> None:
    pedal: dict[int, bool] = {}
    bend: dict[int, float] = {}
    for _, event in piece.events:
        if isinstance(event, Sustain):
            pedal[event.channel] = event.down
        elif isinstance(event, PitchBend):
            assert abs(event.semitones) <= 2
            bend[event.channel] = event.semitones
    assert pedal
    assert bend
    assert not any(pedal.values())
    assert not any(bend.values())


def test_at_most_ten_voices_pedal_included(piece: Score) -> None:
    pressed: dict[int, set[int]] = defaultdict(set)
    held: dict[int, set[int]] = defaultdict(set)
    down: dict[int, bool] = defaultdict(bool)
    most = 0
    for _, event in piece.events:
        match event:
            case NoteOn():
                pressed[event.channel].add(event.pitch)
            case NoteOff():
                pressed[event.channel].remove(event.pitch)
                if down[event.channel]:
                    held[event.channel].add(event.pitch)
            case Sustain():
                down[event.channel] = event.down
                if not event.down:
                    held[event.channel].clear()
        most = max(most, sum(len(pressed[channel] | held[channel]) for channel in list(pressed)))
    assert 6 <= most <= 10


def test_calls_share_nothing(piece: Score) -> None:
    piece.events.clear()
    assert builtin_piece().events


def test_survives_being_saved(piece: Score, tmp_path: Path) -> None:
    write_midi(tmp_path / "piece.mid", piece)
    again = read_midi(tmp_path / "piece.mid")
    assert again.notices == []
    assert again.duration == pytest.approx(piece.duration, abs=1e-4)

    def notes(score: Score) -> list[tuple[int, int, int, int, float]]:
        return sorted((e.channel, e.pitch, e.velocity, e.program, t) for t, e in score.events if isinstance(e, NoteOn))

    for ours, theirs in zip(notes(piece), notes(again), strict=True):
        assert ours[:4] == theirs[:4]
        assert ours[4] == pytest.approx(theirs[4], abs=1e-4)
