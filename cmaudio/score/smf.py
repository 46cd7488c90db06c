"""The bytes of a Standard MIDI File: parsed into messages with times, made from a Score.

They are parsed here and not by mido, which drops a whole file at its first damaged byte and takes quadratic time over
an endless delta time. Making them is left to mido.
"""

from __future__ import annotations

import io
import math
import struct
from array import array
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import mido
import numpy as np
import numpy.typing as npt

from cmaudio.errors import CmaudioError
from cmaudio.score.controllers import BY_EXPRESSION, SOSTENUTO, SUSTAIN, VOLUME, controller_value
from cmaudio.score.events import (
    PERCUSSION_CHANNEL,
    AllNotesOff,
    ChannelGain,
    Event,
    Expression,
    KeyPressure,
    NoteOff,
    NoteOn,
    PitchBend,
    Score,
    Sostenuto,
    Sustain,
)

EXPORT_AGAIN = "Export it again as a Standard MIDI File (.mid)."
TEMPO = 0xFF000000  # marks a word that holds microseconds per beat; other words are status, data 1, data 2
TICKS_PER_BEAT, TICKS_PER_SECOND = 9600, 19_200  # of what is written, at 120 beats a minute
_TEMPO = 500_000


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
    """All messages of a file in time order: `words` in parallel with `ticks`, the last tick being the file's end."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.notices: Counter[str] = Counter()
        # Some programs put a RIFF or MacBinary wrapper of up to 128 bytes around the file.
        start = data[:160].find(b"MThd")
        if start < 0 or len(data) < start + 14:
            raise CmaudioError(f"{path}: is not a MIDI file (no MIDI header). {EXPORT_AGAIN}")
        kind, tracks, self.ticks_per_beat = struct.unpack(">HHH", data[start + 8 : start + 14])
        if self.ticks_per_beat >= 0x8000:
            raise CmaudioError(f"{path}: counts time in SMPTE frames, not in beats. {EXPORT_AGAIN}")
        if self.ticks_per_beat == 0:
            raise CmaudioError(f"{path}: has zero ticks per beat, so its notes have no times. {EXPORT_AGAIN}")
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
        """Take in the messages of a track that starts at `tick`, up to the first damage. False if there is any."""
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
                elif status in (0xF0, 0xF7, 0xFF):
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
        self._ticks.append(tick)
        self._words.append(status << 16 | first << 8 | second)
        return position + size

    def _other_message(self, track: bytes, position: int, tick: int, status: int) -> tuple[int, bool]:
        """Pass over a meta or system exclusive message: the position after it, and whether it ends the track."""
        kind = track[position] if status == 0xFF else -1
        size, position = _variable_int(track, position + (status == 0xFF))
        if position + size > len(track):
            raise _Damage
        if kind == 0x51 and size == 3:
            self._ticks.append(tick)
            self._words.append(TEMPO | int.from_bytes(track[position : position + 3], "big"))
        self.notices["tempo"] += kind == 0x51 and size != 3
        return position + size, kind == 0x2F

    def seconds(self) -> npt.NDArray[np.float64]:
        """The times of `ticks`, in seconds from the start. Raises CmaudioError for a tempo of zero."""
        is_tempo = [i for i, word in enumerate(self.words) if word >= TEMPO]
        microseconds = np.array([500_000, *(self.words[i] & 0xFFFFFF for i in is_tempo)], dtype=np.float64)
        if not microseconds.all():
            raise CmaudioError(f"{self.path}: has a tempo of zero microseconds per beat. {EXPORT_AGAIN}")
        starts = np.concatenate([[0], self.ticks[is_tempo]]).astype(np.int64)
        seconds_per_tick = microseconds * 1e-6 / self.ticks_per_beat
        bases = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_tick[:-1])])
        segment = np.searchsorted(starts, self.ticks, side="right") - 1
        return np.asarray(bases[segment] + (self.ticks - starts[segment]) * seconds_per_tick[segment])


def encode_score(score: Score) -> bytes:
    """The bytes of a type 1 file with one track for each channel; see `write_midi` for the rounding."""
    song = mido.MidiFile(type=1, ticks_per_beat=TICKS_PER_BEAT, charset="utf-8")
    head = mido.MidiTrack([mido.MetaMessage("track_name", name=score.name)])
    head.append(mido.MetaMessage("set_tempo", tempo=_TEMPO))
    song.tracks.append(head)
    for channel in sorted({event.channel for _, event in score.events}):
        song.tracks.append(_channel_track(channel, [pair for pair in score.events if pair[1].channel == channel]))
    data = io.BytesIO()
    song.save(file=data)
    return data.getvalue()


def _channel_track(channel: int, events: list[tuple[float, Event]]) -> mido.MidiTrack:
    bends = [abs(event.semitones) for _, event in events if isinstance(event, PitchBend)]
    bend_range = max(2, math.ceil(max(bends, default=0.0)))
    track = mido.MidiTrack([_control(channel, 7, 127), *bend_range_messages(channel, bend_range)])
    tick, program = 0, None
    for time, event in events:
        now = round(time * TICKS_PER_SECOND)
        if isinstance(event, NoteOn) and channel != PERCUSSION_CHANNEL and event.program != program:
            program = event.program
            track.append(mido.Message("program_change", channel=channel, program=program, time=now - tick))
            tick = now
        track.append(event_message(event, bend_range).copy(time=now - tick))
        tick = now
    return track


def _control(channel: int, control: int, value: int) -> mido.Message:
    return mido.Message("control_change", channel=channel, control=control, value=value)


def bend_range_messages(channel: int, semitones: int) -> list[mido.Message]:
    """Registered parameter 0, so that whole wheels mean this many semitones."""
    controls = ((101, 0), (100, 0), (6, semitones), (38, 0), (101, 127), (100, 127))
    return [_control(channel, control, value) for control, value in controls]


def event_message(event: Event, bend_range: int) -> mido.Message:
    """The message that says this event, on a channel with this bend range in semitones."""
    channel = event.channel
    match event:
        case NoteOn():
            return mido.Message("note_on", channel=channel, note=event.pitch, velocity=event.velocity)
        case NoteOff():
            return mido.Message("note_off", channel=channel, note=event.pitch)
        case Sustain():
            return _control(channel, SUSTAIN, 127 * event.down)
        case Sostenuto():
            return _control(channel, SOSTENUTO, 127 * event.down)
        case KeyPressure(_, pitch, value):
            pressure = controller_value("pressure", value)
            return mido.Message("polytouch", channel=channel, note=pitch, value=pressure)
        case PitchBend():
            wheel = min(8191, round(event.semitones / bend_range * 8192))
            return mido.Message("pitchwheel", channel=channel, pitch=wheel)
        case ChannelGain():
            return _control(channel, VOLUME, round(127 * math.sqrt(min(max(event.gain, 0.0), 1.0))))
        case Expression(_, "pressure", value):
            return mido.Message("aftertouch", channel=channel, value=controller_value("pressure", value))
        case Expression(_, name, value):
            return _control(channel, BY_EXPRESSION[name], controller_value(name, value))
        case AllNotesOff():
            return _control(channel, 120, 0)
