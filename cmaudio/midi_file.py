"""Standard MIDI files: read one into a Score, write a Score as one.

The bytes are parsed here and not by mido, which drops a whole file at its first damaged byte and takes quadratic time
over an endless delta time. Writing is left to mido.
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

from cmaudio.audio_file import unfinished_file
from cmaudio.errors import CmaudioError
from cmaudio.events import (
    PERCUSSION_CHANNEL,
    AllNotesOff,
    ChannelGain,
    Event,
    NoteOff,
    NoteOn,
    PitchBend,
    Score,
    Sustain,
)

MAX_SECONDS = 6 * 3600.0
MAX_BYTES = 16 * 2**20
MAX_BEND_SEMITONES = 48.0
_EXPORT_AGAIN = "Export it again as a Standard MIDI File (.mid)."
_TEMPO = 0xFF000000  # marks a word that holds microseconds per beat; other words are status, data 1, data 2
_NO_RPN = (127, 127)
_WRITE_TICKS_PER_BEAT, _WRITE_TEMPO = 9600, 500_000  # 19200 ticks a second

_NOTICES = {
    "damaged": "{} track(s) damaged or cut off: what comes after the damage is left out",
    "missing": "{} track(s) announced by the file are missing",
    "sequence": "{} independent tracks (type 2 file) are played one after another",
    "tempo": "{} tempo change(s) of a wrong length were ignored",
    "struck again": "{} note(s) were struck again while they sounded: the earlier one ends there",
    "stray": "{} note-off(s) without a sounding note were ignored",
    "hanging": "{} note(s) were never ended: they end with the file",
    "pedal": "{} sustain pedal(s) were never lifted: they are lifted at the end of the file",
    "range": "{} pitch bend range(s) over " + f"{MAX_BEND_SEMITONES:.0f} semitones were cut to that",
}


def read_midi(path: str | Path) -> Score:
    """Read the Standard MIDI File at `path`, of type 0, 1 or 2, at most 6 hours and 16 MiB long.

    Gains are (CC7 / 127)**2 * (CC11 / 127)**2; a channel that never sets CC7 counts as 100 where other channels set
    it (the General MIDI default) and as 127 where none does. CC123 to 127 end each sounding note as its key would
    (the pedal still holds it), CC120 also sends AllNotesOff. Every NoteOn has a NoteOff; what was repaired is told in
    `Score.notices`, one line for each kind. Program 0 stands in every NoteOn of the percussion channel.

    Raises CmaudioError for a file that cannot be read, is no MIDI file, holds no notes, counts time in SMPTE frames
    or zero ticks, has a tempo of zero, or is too long.
    """
    path = Path(path)
    data = _read_bytes(path)
    song = _Song(path, data)
    seconds = song.seconds()
    volumes_given = any(word >> 20 == 0xB and word >> 8 & 0x7F == 7 for word in song.words)
    player = _Channels(100 if volumes_given else 127, song.notices)
    for time, word in zip(seconds.tolist(), song.words, strict=False):
        if word < _TEMPO:
            player.message(time, word >> 16, word >> 8 & 0x7F, word & 0x7F)
    if not player.notes:
        damage = "; it is damaged" if song.notices["damaged"] or song.notices["missing"] else ""
        raise CmaudioError(f"{path}: holds no notes{damage}. {_EXPORT_AGAIN}")
    player.finish(float(seconds[-1]))
    duration = player.events[-1][0]
    if duration > MAX_SECONDS:
        hours = f"{duration / 3600:.1f}"
        raise CmaudioError(f"{path}: lasts {hours} hours, and 6 are the most. Shorten it or remove the long gap.")
    notices = [text.format(song.notices[kind]) for kind, text in _NOTICES.items() if song.notices[kind]]
    return Score(path.stem, player.events, duration, list(player.programs), list(player.percussion), notices)


def _read_bytes(path: Path) -> bytes:
    try:
        if path.exists() and not path.is_file():
            raise CmaudioError(f"{path}: is not a file. Give the name of a MIDI file (.mid).")
        with path.open("rb") as handle:
            data = handle.read(MAX_BYTES + 1)
    except FileNotFoundError as error:
        raise CmaudioError(f"{path}: there is no such file. Check the name and the folder.") from error
    except (OSError, ValueError) as error:
        raise CmaudioError(f"{path}: cannot be read ({error}). Check the name and the file's permissions.") from error
    if len(data) > MAX_BYTES:
        raise CmaudioError(f"{path}: is larger than {MAX_BYTES // 2**20} MiB, the most that is read. Split it.")
    return data


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


class _Song:
    """All messages of a file in time order: `words` in parallel with `ticks`, the last tick being the file's end."""

    def __init__(self, path: Path, data: bytes) -> None:
        self.path = path
        self.notices: Counter[str] = Counter()
        # Some programs put a RIFF or MacBinary wrapper of up to 128 bytes around the file.
        start = data[:160].find(b"MThd")
        if start < 0 or len(data) < start + 14:
            raise CmaudioError(f"{path}: is not a MIDI file (no MIDI header). {_EXPORT_AGAIN}")
        kind, tracks, self.ticks_per_beat = struct.unpack(">HHH", data[start + 8 : start + 14])
        if self.ticks_per_beat >= 0x8000:
            raise CmaudioError(f"{path}: counts time in SMPTE frames, not in beats. {_EXPORT_AGAIN}")
        if self.ticks_per_beat == 0:
            raise CmaudioError(f"{path}: has zero ticks per beat, so its notes have no times. {_EXPORT_AGAIN}")
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
            self._words.append(_TEMPO | int.from_bytes(track[position : position + 3], "big"))
        self.notices["tempo"] += kind == 0x51 and size != 3
        return position + size, kind == 0x2F

    def seconds(self) -> npt.NDArray[np.float64]:
        """The times of `ticks`, in seconds from the start. Raises CmaudioError for a tempo of zero."""
        is_tempo = [i for i, word in enumerate(self.words) if word >= _TEMPO]
        microseconds = np.array([500_000, *(self.words[i] & 0xFFFFFF for i in is_tempo)], dtype=np.float64)
        if not microseconds.all():
            raise CmaudioError(f"{self.path}: has a tempo of zero microseconds per beat. {_EXPORT_AGAIN}")
        starts = np.concatenate([[0], self.ticks[is_tempo]]).astype(np.int64)
        seconds_per_tick = microseconds * 1e-6 / self.ticks_per_beat
        bases = np.concatenate([[0.0], np.cumsum(np.diff(starts) * seconds_per_tick[:-1])])
        segment = np.searchsorted(starts, self.ticks, side="right") - 1
        return np.asarray(bases[segment] + (self.ticks - starts[segment]) * seconds_per_tick[segment])


class _Channels:
    """Sixteen MIDI channels that turn messages into events, each change once."""

    def __init__(self, volume: int, notices: Counter[str]) -> None:
        self.events: list[tuple[float, Event]] = []
        self.notes = 0
        self.programs: dict[int, None] = {}
        self.percussion: dict[int, None] = {}
        self._notices = notices
        self._program = [0] * 16
        self._volume, self._expression, self._gain = [volume] * 16, [127] * 16, [1.0] * 16
        self._wheel, self._bend = [0] * 16, [0.0] * 16
        self._bend_range, self._rpn = [(2, 0)] * 16, [_NO_RPN] * 16
        self._down = [False] * 16
        self._sounding: list[dict[int, None]] = [{} for _ in range(16)]
        self._struck_again: dict[tuple[int, int], float] = {}

    def message(self, time: float, status: int, first: int, second: int) -> None:
        kind, channel = status & 0xF0, status & 0x0F
        if kind == 0x90 and second:
            self._note_on(time, channel, first, second)
        elif kind in (0x80, 0x90):
            self._note_off(time, channel, first)
        elif kind == 0xB0:
            self._control(time, channel, first, second)
        elif kind == 0xC0:
            self._program[channel] = first
        elif kind == 0xE0:
            self._wheel[channel] = (second << 7 | first) - 8192
            self._update_bend(time, channel)

    def finish(self, time: float) -> None:
        for channel, sounding in enumerate(self._sounding):
            self._notices["hanging"] += len(sounding)
            self._notices["pedal"] += self._down[channel]
            self._end_notes(time, channel)
            self._sustain(time, channel, down=False)

    def _note_on(self, time: float, channel: int, pitch: int, velocity: int) -> None:
        self._update_gain(time, channel)
        sounding = self._sounding[channel]
        if pitch in sounding:
            self._notices["struck again"] += 1
            self._struck_again[channel, pitch] = time
            self.events.append((time, NoteOff(channel, pitch)))
        sounding[pitch] = None
        self.notes += 1
        if channel == PERCUSSION_CHANNEL:
            self.percussion.setdefault(pitch)
            program = 0
        else:
            program = self._program[channel]
            self.programs.setdefault(program)
        self.events.append((time, NoteOn(channel, pitch, velocity, program)))

    def _note_off(self, time: float, channel: int, pitch: int) -> None:
        # Tracks that share a channel often put the end of one note after the start of the next at the same moment.
        if self._struck_again.pop((channel, pitch), None) == time:
            return
        if pitch in self._sounding[channel]:
            del self._sounding[channel][pitch]
            self.events.append((time, NoteOff(channel, pitch)))
        else:
            self._notices["stray"] += 1

    def _end_notes(self, time: float, channel: int) -> None:
        self.events.extend((time, NoteOff(channel, pitch)) for pitch in self._sounding[channel])
        self._sounding[channel].clear()

    def _control(self, time: float, channel: int, control: int, value: int) -> None:
        if control == 7:
            self._volume[channel] = value
            self._update_gain(time, channel)
        elif control == 11:
            self._expression[channel] = value
            self._update_gain(time, channel)
        elif control == 64:
            self._sustain(time, channel, down=value >= 64)
        elif control in (6, 38, 98, 99, 100, 101):
            self._parameter(time, channel, control, value)
        elif control == 121:
            self._reset(time, channel)
        elif control == 120 or control >= 123:
            self._end_notes(time, channel)
            if control == 120:
                self.events.append((time, AllNotesOff(channel)))

    def _parameter(self, time: float, channel: int, control: int, value: int) -> None:
        """Registered parameters, of which only number 0, the pitch bend range, is known here."""
        high, low = self._rpn[channel]
        semitones, cents = self._bend_range[channel]
        if control in (98, 99):
            self._rpn[channel] = _NO_RPN
        elif control == 101:
            self._rpn[channel] = (value, low)
        elif control == 100:
            self._rpn[channel] = (high, value)
        elif (high, low) == (0, 0):
            self._bend_range[channel] = (value, cents) if control == 6 else (semitones, value)
            self._notices["range"] += control == 6 and value > MAX_BEND_SEMITONES
            self._update_bend(time, channel)

    def _reset(self, time: float, channel: int) -> None:
        """Reset All Controllers: volume, program and bend range stay (MIDI recommended practice RP-015)."""
        self._expression[channel], self._wheel[channel], self._rpn[channel] = 127, 0, _NO_RPN
        self._update_gain(time, channel)
        self._update_bend(time, channel)
        self._sustain(time, channel, down=False)

    def _sustain(self, time: float, channel: int, *, down: bool) -> None:
        if down != self._down[channel]:
            self._down[channel] = down
            self.events.append((time, Sustain(channel, down)))

    def _update_gain(self, time: float, channel: int) -> None:
        gain = (self._volume[channel] / 127) ** 2 * (self._expression[channel] / 127) ** 2
        if gain != self._gain[channel]:
            self._gain[channel] = gain
            self.events.append((time, ChannelGain(channel, gain)))

    def _update_bend(self, time: float, channel: int) -> None:
        semitones, cents = self._bend_range[channel]
        bend = self._wheel[channel] / 8192 * min(semitones + cents / 100, MAX_BEND_SEMITONES)
        if bend != self._bend[channel]:
            self._bend[channel] = bend
            self.events.append((time, PitchBend(channel, bend)))


def write_midi(path: str | Path, score: Score) -> None:
    """Write `score` to `path` as a Standard MIDI File of type 1, one track for each channel, whole or not at all.

    Times are rounded to 1/19200 s, gains to steps of CC7 (those over 1 become 1), bends to 1/8192 of the channel's
    largest bend or of 2 semitones. Raises CmaudioError if the file cannot be written.
    """
    song = mido.MidiFile(type=1, ticks_per_beat=_WRITE_TICKS_PER_BEAT, charset="utf-8")
    head = mido.MidiTrack([mido.MetaMessage("track_name", name=score.name)])
    head.append(mido.MetaMessage("set_tempo", tempo=_WRITE_TEMPO))
    song.tracks.append(head)
    for channel in sorted({event.channel for _, event in score.events}):
        song.tracks.append(_channel_track(channel, [pair for pair in score.events if pair[1].channel == channel]))
    data = io.BytesIO()
    song.save(file=data)
    with unfinished_file(path) as temporary:
        try:
            temporary.write_bytes(data.getvalue())
        except OSError as error:
            raise CmaudioError(f"{path}: cannot be written ({error}). Free some space, or write elsewhere.") from error


def _channel_track(channel: int, events: list[tuple[float, Event]]) -> mido.MidiTrack:
    bends = [abs(event.semitones) for _, event in events if isinstance(event, PitchBend)]
    bend_range = max(2, math.ceil(max(bends, default=0.0)))
    controls = ((7, 127), (101, 0), (100, 0), (6, bend_range), (38, 0), (101, 127), (100, 127))
    track = mido.MidiTrack(
        mido.Message("control_change", channel=channel, control=control, value=value) for control, value in controls
    )
    tick, program = 0, None
    for time, event in events:
        now = round(time * _WRITE_TICKS_PER_BEAT * 1e6 / _WRITE_TEMPO)
        if isinstance(event, NoteOn) and channel != PERCUSSION_CHANNEL and event.program != program:
            program = event.program
            track.append(mido.Message("program_change", channel=channel, program=program, time=now - tick))
            tick = now
        track.append(_message(event, bend_range).copy(time=now - tick))
        tick = now
    return track


def _message(event: Event, bend_range: int) -> mido.Message:
    channel = event.channel
    match event:
        case NoteOn():
            return mido.Message("note_on", channel=channel, note=event.pitch, velocity=event.velocity)
        case NoteOff():
            return mido.Message("note_off", channel=channel, note=event.pitch)
        case Sustain():
            return mido.Message("control_change", channel=channel, control=64, value=127 * event.down)
        case PitchBend():
            wheel = min(8191, round(event.semitones / bend_range * 8192))
            return mido.Message("pitchwheel", channel=channel, pitch=wheel)
        case ChannelGain():
            value = round(127 * math.sqrt(min(max(event.gain, 0.0), 1.0)))
            return mido.Message("control_change", channel=channel, control=7, value=value)
        case AllNotesOff():
            return mido.Message("control_change", channel=channel, control=120, value=0)
