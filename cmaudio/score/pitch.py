"""Names of notes: "C4" is MIDI note number 60."""

from __future__ import annotations

import re

from cmaudio.checks import in_range
from cmaudio.errors import CmaudioError

_NAME = re.compile(r"([A-Ga-g])([#♯b♭]*)(-?\d+)")
_KEYS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


def note_number(name: str) -> int:
    """The MIDI note number of a name, "C-1" (0) to "G9" (127), with any sharps and flats.

    Raises:
        CmaudioError: not the name of a note.
    """
    match = _NAME.fullmatch(name.strip())
    if match is not None:
        letter, accidentals, octave = match.groups()
        sharps = sum(1 if sign in "#♯" else -1 for sign in accidentals)
        number = _KEYS[letter.upper()] + sharps + 12 * (int(octave) + 1)
        if 0 <= number <= 127:
            return number
    raise CmaudioError(f'a note name must be from "C-1" to "G9" ("C4" is 60, "F#3", "Bb2"), not {name[:20]!r}')


def pitch_number(pitch: float | str) -> float:
    """A pitch as a MIDI note number, given as one or by name.

    Raises:
        CmaudioError: a number out of 0..127, or not the name of a note.
    """
    return note_number(pitch) if isinstance(pitch, str) else in_range("pitch", pitch, 0, 127, "MIDI note number")
