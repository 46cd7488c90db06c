"""Raw MIDI bytes to messages, whatever comes: running status, real-time bytes in between, damage, endless sysex.

MIDI 1.0 Detailed Specification 4.2. mido's parser knows no running status.
"""

from __future__ import annotations

Message = tuple[int, int, int]  # status byte, first and second data byte (0 where there is none)

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, WHEEL = range(0x80, 0xF0, 0x10)
SONG_POSITION, CLOCK, START, CONTINUE, STOP, SYSTEM_RESET = 0xF2, 0xF8, 0xFA, 0xFB, 0xFC, 0xFF
_SYSEX, _SYSEX_END = 0xF0, 0xF7
_DATA_BYTES = {**dict.fromkeys(range(0x80, 0xF0), 2), **dict.fromkeys(range(0xC0, 0xE0), 1)}
_DATA_BYTES |= {0xF1: 1, 0xF2: 2, 0xF3: 1, 0xF6: 0}
_REAL_TIME = frozenset((CLOCK, START, CONTINUE, STOP, 0xFE, SYSTEM_RESET))


class MidiStream:
    """The parser of one port. `malformed` counts bytes that made no message; system exclusive ones are passed over."""

    def __init__(self) -> None:
        self.malformed = 0
        self._status = 0  # 0: data bytes have no meaning
        self._wanted = 0
        self._data: list[int] = []

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are complete with these bytes."""
        found: list[Message] = []
        for byte in data:
            if byte >= CLOCK:
                if byte in _REAL_TIME:
                    found.append((byte, 0, 0))
                else:
                    self.malformed += 1
            elif byte >= 0x80:
                self._begin(byte, found)
            elif self._status and self._status != _SYSEX:
                self._data.append(byte)
                if len(self._data) == self._wanted:
                    found.append((self._status, self._data[0], self._data[1] if self._wanted == 2 else 0))
                    self._data.clear()
                    if self._status >= 0xF0:
                        self._status = 0  # only channel messages have running status
            elif not self._status:
                self.malformed += 1
        return found

    def _begin(self, status: int, found: list[Message]) -> None:
        self.malformed += len(self._data)
        self._data.clear()
        if status == _SYSEX_END:
            self.malformed += self._status != _SYSEX
            self._status = 0
            return
        self._wanted = _DATA_BYTES.get(status, 0)
        if status == _SYSEX or self._wanted:
            self._status = status
            return
        self._status = 0
        if status in _DATA_BYTES:
            found.append((status, 0, 0))
        else:
            self.malformed += 1
