"""Encodes what the engine plays as MIDI messages for another instrument."""

from __future__ import annotations

from collections import Counter

import mido

from cmaudio.score.events import PERCUSSION_CHANNEL, AllNotesOff, Event, NoteOff, NoteOn
from cmaudio.score.midi_writer import bend_range_messages, event_message
from cmaudio.score.ranges import BEND_MAX_SEMITONES

_BEND_RANGE = round(BEND_MAX_SEMITONES)
_PROGRAMS = 128


class Encoder:
    """Turns events into messages. A channel's bend range is sent before its first event, programs before their notes.

    A key is released when all of its notes have ended; the end of a note that was not sent is omitted.
    """

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Restart, for a receiver without state."""
        self._programs: dict[int, int | None] = {}
        self._keys: Counter[tuple[int, int]] = Counter()

    def messages(self, event: Event) -> list[bytes]:
        """The messages for an event."""
        match event:
            case NoteOn(channel, pitch):
                self._keys[channel, pitch] += 1
            case NoteOff(channel, pitch):
                count = self._keys.pop((channel, pitch), 0)
                if count > 1:
                    self._keys[channel, pitch] = count - 1
                if count != 1:
                    return []
            case AllNotesOff(channel):
                for key in [key for key in self._keys if key[0] == channel]:
                    del self._keys[key]
        return [bytes(message.bytes()) for message in [*self._before(event), event_message(event, _BEND_RANGE)]]

    def endings(self) -> list[bytes]:
        """Note-offs for everything that sounds."""
        ends = [event_message(NoteOff(channel, pitch), _BEND_RANGE) for channel, pitch in sorted(self._keys)]
        self._keys.clear()
        return [bytes(message.bytes()) for message in ends]

    def _before(self, event: Event) -> list[mido.Message]:
        channel, found = event.channel, list[mido.Message]()
        if channel not in self._programs:
            self._programs[channel] = None
            found += bend_range_messages(channel, _BEND_RANGE)
        if isinstance(event, NoteOn) and channel != PERCUSSION_CHANNEL and event.program < _PROGRAMS:
            if self._programs[channel] != event.program:
                found.append(mido.Message("program_change", channel=channel, program=event.program))
            self._programs[channel] = event.program
        return found
