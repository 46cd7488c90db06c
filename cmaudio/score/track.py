"""A MIDI file written during playing: complete after every `flush`, even if the program is killed.

Standard MIDI File of type 0. A flush appends to its only track, rewrites the end of the track, and updates its length.
"""

from __future__ import annotations

import struct
from io import BufferedWriter
from pathlib import Path

import mido
from mido.midifiles.meta import encode_variable_int

from cmaudio.errors import CmaudioError
from cmaudio.score.events import PERCUSSION_CHANNEL, Event, NoteOn
from cmaudio.score.midi_writer import TICKS_PER_BEAT, TICKS_PER_SECOND, bend_range_messages, event_message
from cmaudio.score.ranges import BEND_MAX_SEMITONES

_HEAD = struct.pack(">4sLHHH4sL", b"MThd", 6, 0, 1, TICKS_PER_BEAT, b"MTrk", 0)
_LENGTH_AT = len(_HEAD) - 4
_END = bytes((0xFF, 0x2F, 0x00))


class MidiTrackFile:
    """A context manager; times are seconds from the beginning of the file and may not go back.

    Raises CmaudioError where the file cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending = bytearray()
        self._tick = 0
        self._body_end = len(_HEAD)
        self._programs: dict[int, int | None] = {}  # of the channels used so far

    def __enter__(self) -> MidiTrackFile:
        try:
            self._file: BufferedWriter = self.path.open("wb")
        except OSError as error:
            raise self._failure(error) from error
        self._file.write(_HEAD)
        self.flush(0.0)
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def add(self, seconds: float, event: Event) -> None:
        """Add an event, to be written by the next flush."""
        channel = event.channel
        if channel not in self._programs:
            self._programs[channel] = None
            for message in bend_range_messages(channel, round(BEND_MAX_SEMITONES)):
                self._append(seconds, message)
        if isinstance(event, NoteOn) and channel != PERCUSSION_CHANNEL and self._programs[channel] != event.program:
            self._programs[channel] = event.program
            self._append(seconds, mido.Message("program_change", channel=channel, program=event.program))
        self._append(seconds, event_message(event, round(BEND_MAX_SEMITONES)))

    def flush(self, seconds: float) -> None:
        """Write pending events, and end the track at this time."""
        end = bytes(encode_variable_int(max(0, round(seconds * TICKS_PER_SECOND) - self._tick))) + _END
        try:
            self._file.seek(self._body_end)
            self._file.write(bytes(self._pending) + end)
            self._body_end += len(self._pending)
            self._pending.clear()
            self._file.seek(_LENGTH_AT)
            self._file.write(struct.pack(">L", self._body_end + len(end) - len(_HEAD)))
            self._file.flush()
        except OSError as error:
            raise self._failure(error) from error

    def _append(self, seconds: float, message: mido.Message) -> None:
        now = max(self._tick, round(seconds * TICKS_PER_SECOND))
        self._pending += bytes(encode_variable_int(now - self._tick)) + bytes(message.bytes())
        self._tick = now

    def _failure(self, error: OSError) -> CmaudioError:
        return CmaudioError(
            f"{self.path}: cannot be written ({error.strerror or error}). Free some space, or write elsewhere."
        )
