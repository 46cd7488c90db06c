"""Notation for parts: "C4:1 Eb4+G4:.5 r:.5" is a note of one beat, then a chord and a rest of half a beat each.

A length holds until another is given; "!" after the pitches accents them, "|" between bars is ignored.
"""

from __future__ import annotations

import re

from cmaudio.demos.writing import Note

_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ALTERED = {"": 0, "#": 1, "b": -1}
_PITCH = re.compile(r"([A-G])([#b]?)(-?\d)")
_ACCENT = 14


def pitch_number(name: str) -> int:
    """The MIDI note number of "C4" (60), "F#3" or "Bb5"."""
    found = _PITCH.fullmatch(name)
    assert found, f"{name!r} is no pitch"
    step, altered, octave = found.groups()
    return 12 * (int(octave) + 1) + _STEPS[step] + _ALTERED[altered]


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
            notes += [(beat, held * length, pitch_number(n), strength) for n in names.rstrip("!").split("+")]
        beat += length
    return notes
