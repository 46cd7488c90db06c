"""Drops notes of a score where more start at once than an instrument can play, before they cost time and memory.

"Black MIDI" files have tens of thousands of notes per second. A voice that is stolen as soon as it has started takes as
long to compute as an audible one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from cmaudio.score.events import Event, NoteOff, NoteOn

WINDOW_SECONDS = 0.1
NOTES_IN_WINDOW = 256  # twice the voices of a renderer

Timed = tuple[float, Event]


def playable(events: Iterable[Timed]) -> Iterator[Timed]:
    """The events of a score without the notes, and their ends, beyond the first 256 that start in a tenth of a second.

    Args:
        events: (seconds, event) in time order; every NoteOn has its NoteOff before the key is struck again.
    """
    window, count = -1, 0
    left_out: set[tuple[int, int]] = set()  # channel and pitch of notes left out that have not ended
    for seconds, event in events:
        match event:
            case NoteOn(channel, pitch):
                if int(seconds / WINDOW_SECONDS) != window:
                    window, count = int(seconds / WINDOW_SECONDS), 0
                count += 1
                if count > NOTES_IN_WINDOW:
                    left_out.add((channel, pitch))
                    continue
            case NoteOff(channel, pitch) if (channel, pitch) in left_out:
                left_out.remove((channel, pitch))
                continue
        yield seconds, event
