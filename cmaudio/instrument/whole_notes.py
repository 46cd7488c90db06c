"""The notes of a recording that starts and ends while others sound: every note in its MIDI file is whole."""

from __future__ import annotations

from collections.abc import Iterable

from cmaudio.score.events import Event, NoteOff, NoteOn
from cmaudio.score.track import MidiTrackFile


class WholeNotes:
    """Writes events to a MIDI file; ends of notes that did not start in it are left out.

    Args:
        track: the file.
        held: notes that already sound; they start with the file.
    """

    def __init__(self, track: MidiTrackFile, held: Iterable[NoteOn]) -> None:
        self._track = track
        self._sounding: set[tuple[int, int]] = set()  # channels and pitches
        for note in held:
            self.add(0.0, note)

    def add(self, seconds: float, event: Event) -> None:
        """Add an event at a time from the start of the file."""
        match event:
            case NoteOn(channel, pitch):
                self._sounding.add((channel, pitch))
            case NoteOff(channel, pitch):
                if (channel, pitch) not in self._sounding:
                    return
                self._sounding.remove((channel, pitch))
        self._track.add(seconds, event)

    def end(self, seconds: float) -> None:
        """End the notes that still sound, and flush the file."""
        for channel, pitch in sorted(self._sounding):
            self._track.add(seconds, NoteOff(channel, pitch))
        self._sounding.clear()
        self._track.flush(seconds)
