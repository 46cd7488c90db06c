"""A score written in bars: parts of notes in beats, and drums as one line of sixteenths per drum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from cmaudio.score.events import PERCUSSION_CHANNEL, ChannelGain, Event, Expression, NoteOff, NoteOn, Score

BEATS_PER_BAR = 4
_STROKES = {"X": 112, "x": 88, "o": 48}  # velocities: an accent, a stroke and a ghost note
_STROKE_BEATS = 0.25

Note = tuple[float, float, int, int]  # beat, length in beats, pitch, velocity


@dataclass(frozen=True)
class Part:
    """What one General MIDI program (0..127) plays on a channel of its own.

    Attributes:
        gain: linear, 0..1.
        place: from -1 (left) to 1.
        reverb: level sent, 0..1.
    """

    program: int
    notes: Sequence[Note]
    gain: float = 1.0
    place: float = 0.0
    reverb: float = 0.0


def drum_line(bars: Sequence[Mapping[int, str]]) -> list[Note]:
    """Drums as notes: a line per key of the kit in each bar, "X", "x" and "o" from loud to soft, the rest silent."""
    return [
        (bar * BEATS_PER_BAR + index * _STROKE_BEATS, _STROKE_BEATS, key, _STROKES[stroke])
        for bar, lines in enumerate(bars)
        for key, line in lines.items()
        for index, stroke in enumerate(line)
        if stroke in _STROKES
    ]


def write_score(title: str, tempo: float, parts: Sequence[Part], drums: Part | None = None) -> Score:
    """A score of these parts at `tempo` beats per minute; the drums are on the percussion channel."""
    pitched = [channel for channel in range(16) if channel != PERCUSSION_CHANNEL]
    channels = list(zip(pitched, parts, strict=False))
    if drums is not None:
        channels.append((PERCUSSION_CHANNEL, drums))
    events: list[tuple[float, Event]] = []
    for channel, part in channels:
        events.append((0.0, ChannelGain(channel, part.gain)))
        events += [
            (0.0, Expression(channel, name, level)) for name, level in (("pan", part.place), ("reverb", part.reverb))
        ]
        for beat, length, pitch, velocity in part.notes:
            start, end = (each * 60 / tempo for each in (beat, beat + length))
            events += [(start, NoteOn(channel, pitch, velocity, part.program)), (end, NoteOff(channel, pitch))]
    events.sort(key=lambda pair: (pair[0], isinstance(pair[1], NoteOn)))  # a repeated note ends before it starts again
    struck = [e for _, e in events if isinstance(e, NoteOn)]
    drum_keys = dict.fromkeys(e.pitch for e in struck if e.channel == PERCUSSION_CHANNEL)
    programs = dict.fromkeys(e.program for e in struck if e.channel != PERCUSSION_CHANNEL)
    return Score(title, events, events[-1][0], list(programs), list(drum_keys))
