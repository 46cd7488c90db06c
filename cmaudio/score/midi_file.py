"""Standard MIDI files: read one into a Score, write a Score as one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.audio_file import unfinished_file
from cmaudio.score.controllers import BY_CONTROLLER, controller_gain, expression_value
from cmaudio.score.events import (
    PERCUSSION_CHANNEL,
    AllNotesOff,
    ChannelGain,
    Event,
    Expression,
    NoteOff,
    NoteOn,
    PitchBend,
    Score,
    Sustain,
)
from cmaudio.score.smf import EXPORT_AGAIN, TEMPO, Song, encode_score

MAX_SECONDS = 6 * 3600.0
MAX_BYTES = 16 * 2**20
MAX_BEND_SEMITONES = 48.0
_NO_RPN = (127, 127)

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
    song = Song(path, data)
    seconds = song.seconds()
    volumes_given = any(word >> 20 == 0xB and word >> 8 & 0x7F == 7 for word in song.words)
    player = _Channels(100 if volumes_given else 127, song.notices)
    for time, word in zip(seconds.tolist(), song.words, strict=False):
        if word < TEMPO:
            player.message(time, word >> 16, word >> 8 & 0x7F, word & 0x7F)
    if not player.notes:
        damage = "; it is damaged" if song.notices["damaged"] or song.notices["missing"] else ""
        raise CmaudioError(f"{path}: holds no notes{damage}. {EXPORT_AGAIN}")
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
        self._expressions: list[dict[str, float]] = [{} for _ in range(16)]
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
        elif kind == 0xD0:
            self._express(time, channel, "pressure", first)
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
        elif control in BY_CONTROLLER:
            self._express(time, channel, BY_CONTROLLER[control], value)
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
        for name, value in self._expressions[channel].items():
            if value:
                self._expressions[channel][name] = 0.0
                self.events.append((time, Expression(channel, name, 0.0)))

    def _express(self, time: float, channel: int, name: str, value: int) -> None:
        wanted = expression_value(name, value)
        if wanted != self._expressions[channel].get(name, 0.0):
            self._expressions[channel][name] = wanted
            self.events.append((time, Expression(channel, name, wanted)))

    def _sustain(self, time: float, channel: int, *, down: bool) -> None:
        if down != self._down[channel]:
            self._down[channel] = down
            self.events.append((time, Sustain(channel, down)))

    def _update_gain(self, time: float, channel: int) -> None:
        gain = controller_gain(self._volume[channel], self._expression[channel])
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
    data = encode_score(score)
    with unfinished_file(path) as temporary:
        try:
            temporary.write_bytes(data)
        except OSError as error:
            raise CmaudioError(f"{path}: cannot be written ({error}). Free some space, or write elsewhere.") from error
