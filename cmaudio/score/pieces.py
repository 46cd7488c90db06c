"""A demo piece, for use without a MIDI file.

"Evening in F": seven bars for flute, electric piano, double bass, strings and celesta. The melody rises to one high C
over a secondary dominant and settles on the fifth; each piano chord moves into the next by steps or common tones.
"""

from __future__ import annotations

import itertools
import math

from cmaudio.score.events import ChannelGain, Event, NoteOff, NoteOn, PitchBend, Score, Sustain

FLUTE, PIANO, BASS, STRINGS, CELESTA = range(5)
_PROGRAMS = {FLUTE: 73, PIANO: 4, BASS: 32, STRINGS: 49, CELESTA: 8}
_GAINS = {FLUTE: 0.9, PIANO: 0.8, BASS: 0.85, STRINGS: 0.15, CELESTA: 0.5}

# (beat, beats per minute) from that beat on: steady, then a ritardando over the last two bars.
_TEMPI = ((0.0, 78.0), (20.0, 75.0), (22.0, 69.0), (23.0, 63.0), (24.0, 60.0))

# (beat, length in beats, pitch, velocity)
_Notes = tuple[tuple[float, float, int, int], ...]
_FLUTE_NOTES: _Notes = (
    *((1.0, 0.48, 72, 62), (1.5, 0.48, 74, 66), (2.0, 1.45, 79, 76), (3.5, 0.48, 77, 68)),
    *((4.0, 2.2, 76, 72), (6.5, 0.48, 72, 64), (7.0, 0.48, 74, 68), (7.5, 0.48, 76, 74)),
    *((8.0, 1.45, 77, 80), (9.5, 0.48, 81, 84), (10.0, 0.95, 79, 78), (11.0, 0.48, 77, 72), (11.5, 0.45, 74, 68)),
    *((12.0, 2.6, 79, 82), (15.0, 0.48, 76, 76), (15.5, 0.48, 79, 86)),
    *((16.0, 1.45, 84, 100), (17.5, 0.48, 83, 90), (18.0, 0.95, 81, 88), (19.0, 0.48, 78, 80), (19.5, 0.48, 75, 76)),
    *((20.0, 0.95, 74, 74), (21.0, 0.48, 77, 76), (21.5, 0.48, 79, 78), (22.0, 1.45, 81, 80), (23.5, 0.45, 76, 62)),
    *((24.0, 0.97, 79, 66), (25.0, 0.47, 77, 56), (25.5, 2.6, 72, 50)),
)
_BASS_NOTES: _Notes = (
    *((0.0, 2.9, 41, 74), (3.0, 0.95, 40, 64), (4.0, 2.9, 38, 72), (7.0, 0.95, 36, 66)),
    *((8.0, 2.9, 34, 76), (11.0, 0.95, 35, 70), (12.0, 1.95, 36, 76), (14.0, 0.95, 48, 66), (15.0, 0.95, 46, 70)),
    *((16.0, 1.95, 45, 84), (18.0, 1.95, 38, 80), (20.0, 1.95, 43, 74), (22.0, 1.95, 36, 68), (24.0, 4.2, 29, 66)),
)
_STRING_NOTES: _Notes = (
    *((8.0, 4.0, 62, 60), (8.0, 6.0, 65, 60), (12.0, 4.0, 60, 62), (14.0, 2.0, 64, 62)),
    *((16.0, 4.0, 60, 70), (16.0, 2.0, 67, 74), (18.0, 2.0, 66, 72)),
    *((20.0, 4.0, 58, 64), (20.0, 2.0, 65, 66), (22.0, 2.0, 64, 60)),
    *((24.0, 4.3, 57, 54), (24.0, 4.3, 64, 54), (24.5, 3.8, 72, 48)),
)
_CELESTA_NOTES: _Notes = ((25.5, 0.5, 84, 50), (26.0, 0.5, 88, 46), (26.5, 0.5, 91, 42), (27.0, 1.4, 93, 36))

# (beat, velocity, pitches from low to high); the pedal is changed with each chord.
_CHORDS: tuple[tuple[float, int, tuple[int, ...]], ...] = (
    (0.0, 62, (57, 60, 64, 67)),  # F major 9
    (4.0, 60, (57, 60, 64, 65)),  # D minor 9
    (8.0, 64, (57, 60, 62, 65)),  # B flat major 9
    (12.0, 64, (58, 60, 62, 65)),  # C 9 sus 4
    (14.0, 58, (58, 60, 62, 64)),  # C 9
    (16.0, 76, (57, 60, 64, 67)),  # A minor 7
    (18.0, 72, (57, 60, 63, 66)),  # D 7 flat 9
    (20.0, 64, (57, 58, 62, 65)),  # G minor 9
    (22.0, 58, (57, 58, 62, 64)),  # C 13
    (24.0, 56, (55, 57, 60, 64)),  # F major 9
)
_STRING_SWELL = ((8.0, 0.15), (12.0, 0.35), (16.0, 0.6), (18.0, 0.6), (20.0, 0.4), (24.0, 0.4), (28.2, 0.1))
_SWELL_STEP_BEATS = 0.25


def builtin_piece() -> Score:
    """The built-in piece: about 23 s, five channels, at most ten notes at once, each call a fresh Score."""
    events: list[tuple[float, Event]] = [(0.0, ChannelGain(channel, gain)) for channel, gain in _GAINS.items()]
    parts = {FLUTE: _FLUTE_NOTES, BASS: _BASS_NOTES, STRINGS: _STRING_NOTES, CELESTA: _CELESTA_NOTES}
    for channel, notes in parts.items():
        for beat, length, pitch, velocity in notes:
            events += _note(channel, _seconds(beat), _seconds(beat + length), pitch, velocity)
    events += _piano()
    events += _swell(STRINGS, _STRING_SWELL)
    events += _scoop(FLUTE, _seconds(12.0), depth_semitones=-1.0)
    events += _vibrato(FLUTE, _seconds(13.0), _seconds(14.6), depth_semitones=0.2)
    events += _vibrato(FLUTE, _seconds(22.4), _seconds(23.4), depth_semitones=0.25)
    events += _vibrato(FLUTE, _seconds(26.3), _seconds(28.0), depth_semitones=0.15)
    events.sort(key=lambda pair: (pair[0], _rank(pair[1])))
    programs = list(dict.fromkeys(event.program for _, event in events if isinstance(event, NoteOn)))
    return Score("Evening in F", events, events[-1][0], programs)


def _seconds(beat: float) -> float:
    time = 0.0
    for (start, bpm), (end, _) in zip(_TEMPI, (*_TEMPI[1:], (math.inf, 0.0)), strict=True):
        time += max(0.0, min(beat, end) - start) * 60.0 / bpm
    return time


def _rank(event: Event) -> int:
    """At the same moment controls and note ends come before note starts."""
    return 2 if isinstance(event, NoteOn) else 1 if isinstance(event, NoteOff) else 0


def _note(channel: int, start: float, end: float, pitch: int, velocity: int) -> list[tuple[float, Event]]:
    return [
        (start, NoteOn(channel, pitch, velocity, _PROGRAMS[channel])),
        (end, NoteOff(channel, pitch)),
    ]


def _piano() -> list[tuple[float, Event]]:
    """Softly rolled chords, then a few of their notes again in the second half of a long bar."""
    events: list[tuple[float, Event]] = []
    ends = [beat for beat, _, _ in _CHORDS[1:]] + [28.4]
    for (beat, velocity, pitches), end in zip(_CHORDS, ends, strict=True):
        start = _seconds(beat)
        last = end == ends[-1]
        roll = 0.06 if last else 0.012
        for i, pitch in enumerate(pitches):
            release = _seconds(end - 0.1 if last else beat + 1.4)
            events += _note(PIANO, start + i * roll, release, pitch, velocity - 6 + 2 * i)
        # The pedal holds the old chord briefly over the change, so that no gap is heard.
        events += [(start + 0.05, Sustain(PIANO, True)), (_seconds(end), Sustain(PIANO, False))]
        if end - beat == 4.0:
            for offset, i in ((1.5, 2), (2.0, 1), (2.5, 3), (3.0, 2), (3.5, 1)):
                again = _seconds(beat + offset)
                events += _note(PIANO, again, _seconds(beat + offset + 0.45), pitches[i], velocity - 16)
    return events


def _swell(channel: int, points: tuple[tuple[float, float], ...]) -> list[tuple[float, Event]]:
    """Gains on straight lines between `points` of (beat, gain)."""
    events: list[tuple[float, Event]] = []
    for (beat, gain), (next_beat, next_gain) in itertools.pairwise(points):
        steps = round((next_beat - beat) / _SWELL_STEP_BEATS)
        for i in range(steps if gain != next_gain else 0):
            value = gain + (next_gain - gain) * i / steps
            events.append((_seconds(beat + i * _SWELL_STEP_BEATS), ChannelGain(channel, round(value, 4))))
    return events


def _scoop(channel: int, start: float, depth_semitones: float) -> list[tuple[float, Event]]:
    """Start a note `depth_semitones` off its pitch and slide into place within 0.16 s."""
    return [(start + 0.02 * i, PitchBend(channel, depth_semitones * (1 - i / 8) ** 2)) for i in range(9)]


def _vibrato(channel: int, start: float, end: float, depth_semitones: float) -> list[tuple[float, Event]]:
    """A vibrato of 5.2 Hz that grows from nothing and ends where it began."""
    steps = round((end - start) / 0.02)
    events: list[tuple[float, Event]] = []
    for i in range(1, steps):
        growth = math.sin(math.pi * i / steps)
        events.append(
            (start + 0.02 * i, PitchBend(channel, depth_semitones * growth * math.sin(2 * math.pi * 5.2 * 0.02 * i)))
        )
    return [*events, (end, PitchBend(channel, 0.0))]
