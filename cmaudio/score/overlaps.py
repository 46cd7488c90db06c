"""Note-offs in a file that belong to notes which a repeated note-on has already ended.

MIDI asks for one note-off for every note-on (Detailed Specification 4.2), but a note-off does not identify its
note-on. Where a key is struck again while it is down, its earlier note ends there, and the first note-off that follows
would end the new note too early. A file shows whether every note-on has its note-off; only then, and for a note-off at
the very moment of the second note-on, can the superfluous ones be identified.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import compress

from cmaudio.score.controllers import ALL_NOTES_OFF, ALL_SOUND_OFF
from cmaudio.score.messages import CONTROL, NOTE_OFF, NOTE_ON

_Key = tuple[int, int]  # channel and pitch


def superfluous_note_offs(ticks: Sequence[int], words: Sequence[int]) -> set[int]:
    """Indices of the note-offs to leave out; `words` as in `cmaudio.score.smf.Song`, with their ticks."""
    down: dict[_Key, int] = {}  # note-ons without a note-off so far
    unended: Counter[_Key] = Counter()
    struck_again: dict[_Key, int] = {}
    found: list[tuple[int, _Key]] = []
    at_once: list[bool] = []  # whether it comes at the moment of the second note-on
    for i, (tick, word) in enumerate(zip(ticks, words, strict=False)):
        kind, key = word >> 20 << 4, (word >> 16 & 0x0F, word >> 8 & 0x7F)
        if kind == NOTE_ON and word & 0x7F:
            down[key] = down.get(key, 0) + 1
            unended[key] += 1
            if down[key] > 1:
                struck_again[key] = tick
        elif kind in (NOTE_ON, NOTE_OFF):
            unended[key] -= 1
            if down.get(key, 0) > 1:
                found.append((i, key))
                at_once.append(struck_again.pop(key, -1) == tick)
            down[key] = max(0, down.get(key, 0) - 1)
        elif kind == CONTROL and (key[1] == ALL_SOUND_OFF or key[1] >= ALL_NOTES_OFF):
            down = {other: count for other, count in down.items() if other[0] != key[0]}
    certain = [now or unended[key] <= 0 for now, (_, key) in zip(at_once, found, strict=True)]
    return {i for i, _ in compress(found, certain)}
