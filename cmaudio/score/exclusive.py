"""System exclusive messages that change notes: master tuning, and which channels play percussion.

Universal real-time messages as in the MIDI 1.0 Detailed Specification 4.2 and CA-025 (master tuning); Roland GS for
rhythm parts. Everything else is ignored. Data excludes F0 and F7.
"""

from __future__ import annotations

from dataclasses import dataclass

from cmaudio.score.channel_state import tuning_semitones
from cmaudio.score.events import PERCUSSION_CHANNEL

MAX_BYTES = 64  # no supported message is longer
_UNIVERSAL_REAL_TIME, _ROLAND = 0x7F, 0x41
_DEVICE_CONTROL, _FINE_TUNING, _COARSE_TUNING = 4, 3, 4
_GS_SET = (0x42, 0x12)  # model and command, after the device number
_GS_RESET, _GS_RHYTHM_PART = (0x40, 0x00, 0x7F), 0x15


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
class GsReset:
    """Switches to Roland GS, where bank 127 holds melodic sounds."""


Exclusive = MasterTuning | RhythmPart | GsReset


def read_exclusive(data: bytes) -> Exclusive | None:
    """The meaning of a message; None for an unsupported or damaged one."""
    if len(data) == 6 and data[0] == _UNIVERSAL_REAL_TIME and data[2] == _DEVICE_CONTROL:
        if data[3] == _FINE_TUNING:
            return MasterTuning(True, tuning_semitones(data[5], data[4]))
        if data[3] == _COARSE_TUNING:
            return MasterTuning(False, float(data[5] - 64))
    if len(data) == 9 and data[0] == _ROLAND and (data[2], data[3]) == _GS_SET and sum(data[4:]) % 128 == 0:
        if tuple(data[4:7]) == _GS_RESET:
            return GsReset()
        if data[4] == 0x40 and data[5] >> 4 == 1 and data[6] == _GS_RHYTHM_PART:
            return RhythmPart(_channel_of_part(data[5] & 0x0F), data[7] > 0)
    return None


def _channel_of_part(part: int) -> int:
    """GS counts channel 10 first, then the others in order."""
    if part == 0:
        return PERCUSSION_CHANNEL
    return part - 1 if part <= PERCUSSION_CHANNEL else part
