"""Robust parsing of raw MIDI bytes: running status, interleaved real-time bytes, damage, endless SysEx.

MIDI 1.0 Detailed Specification 4.2. mido's parser does not handle running status.
"""

from __future__ import annotations

from cmaudio.score.exclusive import MAX_BYTES
from cmaudio.score.messages import (
    ACTIVE_SENSING,
    CLOCK,
    CONTINUE,
    START,
    STOP,
    SYSEX,
    SYSEX_END,
    SYSTEM_RESET,
    Message,
)

Incoming = Message | bytes  # bytes: a system exclusive message without its F0 and F7
_DATA_BYTES = {**dict.fromkeys(range(0x80, 0xF0), 2), **dict.fromkeys(range(0xC0, 0xE0), 1)}
_DATA_BYTES |= {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_REAL_TIME = frozenset((CLOCK, START, CONTINUE, STOP, ACTIVE_SENSING, SYSTEM_RESET))


class MidiStream:
    """The parser of one port.

    Attributes:
        malformed: number of bytes that did not form a message. System exclusive messages that are too long to be of use
            are skipped and not counted.
    """

    def __init__(self) -> None:
        self.malformed = 0
        self._status = 0  # running status; 0: none
        self._wanted = 0
        self._data: list[int] = []

    def feed(self, data: bytes) -> list[Incoming]:
        """The messages that are complete with these bytes."""
        found: list[Incoming] = []
        for byte in data:
            if byte >= CLOCK:
                if byte in _REAL_TIME:
                    found.append((byte, 0, 0))
                else:
                    self.malformed += 1
            elif byte >= 0x80:
                self._begin(byte, found)
            elif self._status == SYSEX:
                if len(self._data) <= MAX_BYTES:
                    self._data.append(byte)
            elif self._status:
                self._data.append(byte)
                if len(self._data) == self._wanted:
                    self._complete(found)
            else:
                self.malformed += 1
        return found

    def _complete(self, found: list[Incoming]) -> None:
        found.append((self._status, self._data[0], self._data[1] if self._wanted == 2 else 0))
        self._data.clear()
        if self._status >= SYSEX:
            self._status = 0  # only channel messages have running status

    def _begin(self, status: int, found: list[Incoming]) -> None:
        if self._status == SYSEX:
            if status == SYSEX_END and 0 < len(self._data) <= MAX_BYTES:
                found.append(bytes(self._data))
        else:
            self.malformed += len(self._data) + (status == SYSEX_END)
        self._data.clear()
        self._status, self._wanted = 0, _DATA_BYTES.get(status, 0)
        if status == SYSEX or self._wanted:
            self._status = status
        elif status in _DATA_BYTES:
            found.append((status, 0, 0))
        elif status != SYSEX_END:
            self.malformed += 1
