"""System exclusive messages that change notes: master tuning, which channels play percussion, and resets of both.

Universal messages as in the MIDI 1.0 Detailed Specification 4.2 and CA-025 (master tuning) and General MIDI (system
on); Roland GS; Yamaha XG. Everything else is ignored. Data excludes F0 and F7.
"""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.checks import CHANNELS
from cmaudio.score.channel_state import tuning_semitones
from cmaudio.score.events import PERCUSSION_CHANNEL

MAX_BYTES = 64  # no supported message is longer
_UNIVERSAL, _UNIVERSAL_REAL_TIME, _ROLAND, _YAMAHA = 0x7E, 0x7F, 0x41, 0x43
_GM_SYSTEM, _GM_ON = 9, (1, 3)  # General MIDI and General MIDI 2
_TUNING_STANDARD = 8
_DEVICE_CONTROL, _FINE_TUNING, _COARSE_TUNING = 4, 3, 4
_GS_SET = (0x42, 0x12)  # model and command, after the device number
_GS_RESET, _GS_TUNE, _GS_KEY_SHIFT, _GS_RHYTHM_PART = (0x40, 0, 0x7F), (0x40, 0, 0), (0x40, 0, 5), 0x15
_GS_SCALE = (0x40, 0x40)  # around the number of the part
_XG = 0x4C
_XG_ON, _XG_TUNE, _XG_TRANSPOSE, _XG_PART, _XG_PART_MODE = (0, 0, 0x7E), (0, 0, 0), (0, 0, 6), 8, 7
_XG_SCALE = range(0x41, 0x4D)


@dataclass(frozen=True)
class MasterTuning:
    """Tuning of all channels in semitones; `fine`: whether the fine or the coarse part is set."""

    fine: bool
    semitones: float


@dataclass(frozen=True)
class RhythmPart:
    channel: int
    rhythm: bool


@dataclass(frozen=True)
class SystemReset:
    """Undoes tuning and rhythm parts; `gs`: switches to Roland GS, where bank 127 holds melodic sounds."""

    gs: bool


@dataclass(frozen=True)
class KeyTuning:
    """Tuning of single keys or of the notes of an octave, which is not supported."""


Exclusive = MasterTuning | RhythmPart | SystemReset | KeyTuning


def read_exclusive(data: bytes) -> Exclusive | None:
    """The meaning of a message; None for an unsupported or damaged one."""
    if len(data) == 6 and data[0] == _UNIVERSAL_REAL_TIME and data[2] == _DEVICE_CONTROL:
        if data[3] == _FINE_TUNING:
            return MasterTuning(True, tuning_semitones(data[5], data[4]))
        if data[3] == _COARSE_TUNING:
            return MasterTuning(False, float(data[5] - 64))
    if len(data) == 4 and data[0] == _UNIVERSAL and data[2] == _GM_SYSTEM and data[3] in _GM_ON:
        return SystemReset(gs=False)
    if len(data) > 6 and data[0] in (_UNIVERSAL, _UNIVERSAL_REAL_TIME) and data[2] == _TUNING_STANDARD:
        return KeyTuning()
    if len(data) >= 9 and data[0] == _ROLAND and (data[2], data[3]) == _GS_SET and sum(data[4:]) % 128 == 0:
        return _read_gs((data[4], data[5], data[6]), data[7:-1])
    if len(data) >= 7 and data[0] == _YAMAHA and data[1] >> 4 == 1 and data[2] == _XG:
        return _read_xg((data[3], data[4], data[5]), data[6:])
    return None


def _read_gs(address: tuple[int, int, int], data: bytes) -> Exclusive | None:
    if address == _GS_TUNE:
        return _tune(data)
    if address[:1] + address[2:] == _GS_SCALE and address[1] >> 4 == 1:
        return KeyTuning()
    if len(data) != 1:
        return None
    if address == _GS_RESET:
        return SystemReset(gs=True)
    if address == _GS_KEY_SHIFT:
        return MasterTuning(False, float(data[0] - 64))
    if address[0] == 0x40 and address[1] >> 4 == 1 and address[2] == _GS_RHYTHM_PART:
        return RhythmPart(_channel_of_part(address[1] & 0x0F), data[0] > 0)
    return None


def _read_xg(address: tuple[int, int, int], data: bytes) -> Exclusive | None:
    if address == _XG_TUNE:
        return _tune(data)
    if len(data) != 1:
        return None
    if address == _XG_ON:
        return SystemReset(gs=False)
    if address == _XG_TRANSPOSE:
        return MasterTuning(False, float(data[0] - 64))
    if address[0] == _XG_PART and address[2] in _XG_SCALE:
        return KeyTuning()
    if address[0] == _XG_PART and address[1] < CHANNELS and address[2] == _XG_PART_MODE:
        return RhythmPart(address[1], data[0] > 0)
    return None


def _tune(data: bytes) -> MasterTuning | None:
    """Four nibbles, in tenths of a cent from 1024."""
    if len(data) != 4 or any(each > 15 for each in data):
        return None
    value = sum(nibble << shift for nibble, shift in zip(data, (12, 8, 4, 0), strict=True))
    return MasterTuning(True, (value - 1024) / 1000)


def _channel_of_part(part: int) -> int:
    """GS counts channel 10 first, then the others in order."""
    if part == 0:
        return PERCUSSION_CHANNEL
    return part - 1 if part <= PERCUSSION_CHANNEL else part
