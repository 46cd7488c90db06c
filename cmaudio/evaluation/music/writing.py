"""Notation for parts: "C4:1 Eb4+G4:.5 r:.5" is a note of one beat, then a chord and a rest of half a beat each.

A length holds until another is given; "!" after the pitches accents them, "|" between bars is ignored.
"""

from __future__ import annotations

from cmaudio.demos.writing import Note
from cmaudio.score.pitch import note_number

_ACCENT = 14


def line(text: str, velocity: int, held: float = 0.95) -> list[Note]:
    """The notes of a part.

    Args:
        text: as above.
        velocity: of notes without an accent.
        held: fraction of its length for which a note is held.
    """
    notes: list[Note] = []
    beat, length = 0.0, 1.0
    for token in text.replace("|", " ").split():
        names, _, number = token.partition(":")
        length = float(number) if number else length
        accented = names.endswith("!")
        if names != "r":
            strength = velocity + _ACCENT * accented
            notes += [(beat, held * length, note_number(n), strength) for n in names.rstrip("!").split("+")]
        beat += length
    return notes
