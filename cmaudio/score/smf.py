"""The bytes of a Standard MIDI File as messages in time order.

Parsed here and not by mido, which drops a whole file at its first damaged byte and takes quadratic time over an endless
delta time.
"""

from __future__ import annotations

import struct
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from cmaudio.errors import CmaudioError
from cmaudio.score.exclusive import MAX_BYTES as EXCLUSIVE_MAX_BYTES
from cmaudio.score.messages import SYSEX, SYSEX_END

MAX_MESSAGES = 1_000_000
EXPORT_AGAIN = "Export it again as a Standard MIDI File (.mid)."
# A word packs status and data bytes of a channel message, or one of these tags and a number.
EXCLUSIVE = 0xF0000000  # and the index of a system exclusive message in `Song.exclusives`
TEMPO = 0xFF000000  # and microseconds per beat
_DEFAULT_TEMPO = 500_000
_FRAME_RATES = {24: 24.0, 25: 25.0, 29: 30_000 / 1001, 30: 30.0}  # SMPTE; 29 is 30 drop frame
_META, _META_TEMPO, _META_END = 0xFF, 0x51, 0x2F


class _Damage(Exception):
    """The bytes of a track make no sense from here on."""


def _variable_int(data: bytes, position: int) -> tuple[int, int]:
    """The value at `position` and the position after it. IndexError at the end of `data`."""
    value = 0
    for following in range(position + 1, position + 5):
        byte = data[following - 1]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, following
    raise _Damage


def _track_chunks(data: bytes, position: int) -> Iterator[tuple[bytes, bool]]:
    """The contents of each track chunk from `position` on, and whether they are as long as they claim."""
    while position + 8 <= len(data):
        name, size = struct.unpack(">4sL", data[position : position + 8])
        position += 8 + size
        if name == b"MTrk":
            yield data[position - size : position], position <= len(data)


class Song:
    """All messages of a file in time order.

    Attributes:
        words: one for each message, see `EXCLUSIVE` and `TEMPO`.
        ticks: their times, and the file's end as the last.
        exclusives: the contents of system exclusive messages that may be of use.
        notices: counts of what was damaged or left out, by kind.

    Raises:
        CmaudioError: data that is not a MIDI file, an invalid time division, or more than a million messages.
    """

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.notices: Counter[str] = Counter()
        # Some programs put a RIFF or MacBinary wrapper of up to 128 bytes around the file.
        start = data[:160].find(b"MThd")
        if start < 0 or len(data) < start + 14:
            raise CmaudioError(f"{path}: is not a MIDI file (no MIDI header). {EXPORT_AGAIN}")
        kind, tracks, self._division = struct.unpack(">HHH", data[start + 8 : start + 14])
        self.exclusives: list[bytes] = []
        self._ticks, self._words = array("q"), array("Q")
        self._end = found = 0
        for track, whole in _track_chunks(data, start):
            found += 1
            whole &= self._parse(track, self._end if kind == 2 else 0)
            self.notices["damaged"] += not whole
        self.notices["missing"] = max(0, tracks - found)
        self.notices["sequence"] = found if kind == 2 and found > 1 else 0
        ticks = np.asarray(self._ticks, dtype=np.int64)
        order = np.argsort(ticks, kind="stable")
        self.ticks = np.append(ticks[order], self._end)
        self.words: list[int] = np.asarray(self._words, dtype=np.uint64)[order].tolist()

    def _parse(self, track: bytes, tick: int) -> bool:
        """Parse the messages of a track that starts at `tick`, up to the first damage. False if there is any."""
        position, running = 0, 0
        try:
            while position < len(track):
                delta, position = _variable_int(track, position)
                status = track[position]
                if status >= 0x80:
                    position += 1
                    running = status if status < 0xF0 else running
                else:
                    status = running
                if status < 0xF0:
                    position = self._channel_message(track, position, tick + delta, status)
                elif status in (SYSEX, SYSEX_END, _META):
                    position, ended = self._other_message(track, position, tick + delta, status)
                    if ended:
                        position = len(track)
                else:
                    raise _Damage
                tick += delta
        except (IndexError, _Damage):
            return False
        finally:
            self._end = max(self._end, tick)
        return True

    def _channel_message(self, track: bytes, position: int, tick: int, status: int) -> int:
        size = 1 if status & 0xE0 == 0xC0 else 2
        first, second = track[position], track[position + 1] if size == 2 else 0
        if status < 0x80 or (first | second) >= 0x80:
            raise _Damage
        self._add(tick, status << 16 | first << 8 | second)
        return position + size

    def _other_message(self, track: bytes, position: int, tick: int, status: int) -> tuple[int, bool]:
        """Parse a meta or system exclusive message; returns the position after it, and whether it ends the track."""
        kind = track[position] if status == _META else -1
        size, position = _variable_int(track, position + (status == _META))
        if position + size > len(track):
            raise _Damage
        content = track[position : position + size]
        if kind == _META_TEMPO and size == 3:
            self._add(tick, TEMPO | int.from_bytes(content, "big"))
        self.notices["tempo"] += kind == _META_TEMPO and size != 3
        if status == SYSEX and 1 < size <= EXCLUSIVE_MAX_BYTES and content[-1] == SYSEX_END:
            self._add(tick, EXCLUSIVE | len(self.exclusives))
            self.exclusives.append(content[:-1])
        return position + size, kind == _META_END

    def _add(self, tick: int, word: int) -> None:
        if len(self._words) == MAX_MESSAGES:
            raise CmaudioError(f"{self.path}: holds more than {MAX_MESSAGES} messages, the maximum. Split it.")
        self._ticks.append(tick)
        self._words.append(word)

    def seconds(self) -> npt.NDArray[np.float64]:
        """The times of `ticks`, in seconds from the start. Raises CmaudioError for a tempo of zero."""
        if self._division >= 0x8000:
            return self.ticks / _ticks_per_second(self.path, self._division)
        if self._division == 0:
            raise CmaudioError(f"{self.path}: has zero ticks per beat, so its notes have no times. {EXPORT_AGAIN}")
        is_tempo = [i for i, word in enumerate(self.words) if word >= TEMPO]
        tempi = (self.words[i] & 0xFFFFFF for i in is_tempo)
        microseconds = np.array([_DEFAULT_TEMPO, *tempi], dtype=np.float64)
        if not microseconds.all():
            raise CmaudioError(f"{self.path}: has a tempo of zero microseconds per beat. {EXPORT_AGAIN}")
        starts = np.concatenate([[0], self.ticks[is_tempo]]).astype(np.int64)
        seconds_per_tick = microseconds * 1e-6 / self._division
        bases = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_tick[:-1])])
        segment = np.searchsorted(starts, self.ticks, side="right") - 1
        return np.asarray(bases[segment] + (self.ticks - starts[segment]) * seconds_per_tick[segment])


def _ticks_per_second(path: Path, division: int) -> float:
    """Ticks per second of an SMPTE time division: negative frame rate, and ticks per frame."""
    frames, ticks = 0x100 - (division >> 8), division & 0xFF
    if frames not in _FRAME_RATES or not ticks:
        raise CmaudioError(
            f"{path}: counts {ticks} ticks in each of {frames} SMPTE frames per second; it must be 24, 25, 29 "
            f"(drop frame) or 30 frames of 1 to 255 ticks. {EXPORT_AGAIN}"
        )
    return _FRAME_RATES[frames] * ticks
