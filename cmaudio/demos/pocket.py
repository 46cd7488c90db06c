"""A groove in E minor for drums, bass, electric piano, brass and vibraphone: eight bars and a last chord."""

from __future__ import annotations

from cmaudio.demos.piece import ScoreDemo
from cmaudio.demos.writing import Note, Part, drum_line, write_score
from cmaudio.score.events import Score

_TEMPO = 96.0
_KICK, _SNARE, _CLOSED, _OPEN, _CRASH, _RIDE = 36, 38, 42, 46, 49, 51
_BASS, _PIANO, _BRASS, _VIBRAPHONE = 33, 4, 61, 11

_GROOVE = {_KICK: "X..x..o...X..x..", _SNARE: "....X..o.o..X..o", _CLOSED: "x.o.x.o.x.o.x.o."}
_LIFT = {_KICK: "X..x..o...X..x..", _SNARE: "....X..o.o..X...", _CLOSED: "x.o.x.o.x.o.x...", _OPEN: "..............x."}
_FILL = {_KICK: "X..x..o...X.....", _SNARE: "....X..o.ox.xoXX", _CLOSED: "x.o.x.o.x......."}
_RIDDEN = {_KICK: "X..x..o...X..x.o", _SNARE: "....X..o.o..X..o", _RIDE: "x.o.x.o.x.o.x.o."}
_BARS = (
    _GROOVE | {_CRASH: "x..............."},
    *(_LIFT, _GROOVE, _FILL),
    _RIDDEN | {_CRASH: "x..............."},
    *(_RIDDEN, _RIDDEN, _FILL),
    {_KICK: "X...............", _CRASH: "X..............."},
)

# A bar of bass, as (beat, length, semitones above the root, velocity).
_RIFF = (
    (0.0, 0.6, 0, 100),
    (0.75, 0.2, 0, 78),
    (1.5, 0.4, 12, 84),
    (2.25, 0.2, 10, 80),
    (2.5, 0.45, 12, 92),
    (3.25, 0.6, 7, 84),
)
_ROOTS = (28, 33, 28, 33, 36, 38, 28, 35)

# Chords of the electric piano, bar by bar; each moves to the next by steps.
_E_MINOR, _A_SEVENTH = (62, 66, 67, 71), (61, 66, 67, 71)
_CHORDS = (_E_MINOR, _A_SEVENTH, _E_MINOR, _A_SEVENTH, (62, 64, 67, 71), (60, 64, 67, 71), _E_MINOR, (63, 66, 69, 73))
_LAST_CHORD = (62, 66, 67, 71, 78)
_COMPING = ((0.0, 0.7, 72), (1.5, 0.3, 60), (2.75, 0.9, 70))

_STABS: tuple[tuple[float, float, tuple[int, ...], int], ...] = (
    *((13.5, 0.2, (67, 71, 74), 96), (14.25, 0.4, (67, 71, 76), 104)),
    *((29.5, 0.2, (63, 69, 75), 100), (30.25, 0.2, (66, 69, 78), 104), (31.0, 0.8, (69, 75, 79), 112)),
)
_TUNE: tuple[Note, ...] = (
    *((16.5, 0.4, 79, 84), (17.0, 0.4, 83, 90), (17.5, 1.2, 86, 96), (19.0, 0.4, 83, 82), (19.5, 0.4, 79, 80)),
    *((20.0, 1.4, 81, 92), (21.5, 0.4, 78, 80), (22.0, 0.4, 76, 78), (22.5, 1.2, 74, 84)),
    *((24.5, 0.4, 76, 82), (25.0, 0.4, 79, 86), (25.5, 0.9, 83, 94), (26.5, 0.4, 81, 84), (27.0, 0.9, 78, 84)),
    *((28.5, 0.4, 79, 84), (29.0, 0.3, 78, 80), (32.0, 3.0, 76, 88)),
)


def pocket() -> Score:
    """The piece: about 23 s, five channels."""
    bass = [
        (4 * bar + at, length, root + step, velocity)
        for bar, root in enumerate(_ROOTS)
        for at, length, step, velocity in _RIFF
    ]
    piano = [
        (4 * bar + at, length, pitch, velocity)
        for bar, chord in enumerate(_CHORDS)
        for at, length, velocity in _COMPING
        for pitch in chord
    ]
    brass = [(at, length, pitch, velocity) for at, length, chord, velocity in _STABS for pitch in chord]
    return write_score(
        "Pocket",
        _TEMPO,
        [
            Part(_BASS, [*bass, (32.0, 3.0, 28, 98)], gain=0.8),
            Part(
                _PIANO,
                [*piano, *((32.0 + 0.03 * i, 3.0, pitch, 74) for i, pitch in enumerate(_LAST_CHORD))],
                0.6,
                -0.3,
                0.15,
            ),
            Part(_BRASS, brass, 0.45, 0.35, 0.25),
            Part(_VIBRAPHONE, _TUNE, 1.0, 0.2, 0.25),
        ],
        Part(0, drum_line(_BARS), gain=0.8, reverb=0.08),
    )


POCKET = ScoreDemo("pocket", "Pocket", "a drum kit, a bass and a brass section", score=pocket)
