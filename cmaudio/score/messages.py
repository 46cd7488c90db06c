"""MIDI messages as three bytes, and names for their numbers (MIDI 1.0 Detailed Specification 4.2)."""

from __future__ import annotations

Message = tuple[int, int, int]  # status byte, first and second data byte (0 where there is none)

NOTE_OFF, NOTE_ON, KEY_PRESSURE, CONTROL, PROGRAM, CHANNEL_PRESSURE, WHEEL = range(0x80, 0xF0, 0x10)
SYSEX, SONG_POSITION, SYSEX_END = 0xF0, 0xF2, 0xF7
CLOCK, START, CONTINUE, STOP, ACTIVE_SENSING, SYSTEM_RESET = 0xF8, 0xFA, 0xFB, 0xFC, 0xFE, 0xFF
