"""An evening at the sea: waves that never repeat, birds, a warm pad and an ocarina."""

from __future__ import annotations

from cmaudio.demos.piece import ScoreDemo
from cmaudio.demos.writing import Part, write_score
from cmaudio.score.events import Score

_SEA, _BIRDS, _PAD, _OCARINA = 122, 123, 89, 79
_WAVES = ((0.0, 15.0, 60, 70), (6.0, 15.0, 57, 60), (13.0, 15.0, 62, 74), (20.0, 12.0, 58, 62))
_CALLS = ((2.0, 2.0, 64, 54), (7.5, 1.5, 69, 44), (15.0, 2.5, 62, 58), (16.0, 1.0, 71, 40), (24.5, 2.0, 66, 50))
_PAD_CHORDS = (
    (4.0, (45, 52, 57, 59, 64)),
    (12.0, (41, 52, 57, 60, 64)),
    (20.0, (43, 50, 55, 59, 62)),
    (28.0, (45, 52, 57, 59, 64)),
)
_TUNE = (
    *((8.0, 1.8, 76, 72), (10.0, 0.9, 74, 66), (11.0, 2.6, 71, 70)),
    *((14.0, 0.9, 72, 66), (15.0, 0.9, 74, 70), (16.0, 3.4, 76, 76)),
    *((22.0, 0.9, 74, 70), (23.0, 0.9, 71, 66), (24.0, 1.8, 74, 72), (26.0, 1.4, 71, 64), (28.0, 4.0, 69, 66)),
)


def shore() -> Score:
    """The piece: about 32 s, four channels."""
    chords = [(beat, 7.8, pitch, 62) for beat, pitches in _PAD_CHORDS[:-1] for pitch in pitches]
    chords += [(_PAD_CHORDS[-1][0], 4.0, pitch, 54) for pitch in _PAD_CHORDS[-1][1]]
    return write_score(
        "Shore",
        60.0,
        [
            Part(_SEA, _WAVES, 0.7),
            Part(_BIRDS, _CALLS, 0.4, 0.5, 0.3),
            Part(_PAD, chords, 0.5, 0.0, 0.2),
            Part(_OCARINA, _TUNE, 0.5, -0.2, 0.2),
        ],
    )


SHORE = ScoreDemo("shore", "Shore", "sea, birds and air: sounds that are no notes", score=shore)
