"""Standard MIDI files: read one into a Score, write a Score as one."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import BinaryIO

from cmaudio.errors import CmaudioError
from cmaudio.files.atomic import atomic_file
from cmaudio.files.reading import expanded
from cmaudio.files.targets import check_open, copy_to
from cmaudio.score.controllers import VOLUME
from cmaudio.score.events import PERCUSSION_CHANNEL, Event, NoteOff, NoteOn, Score, Sostenuto, Sustain
from cmaudio.score.interpreter import MidiInterpreter
from cmaudio.score.messages import CONTROL
from cmaudio.score.midi_writer import encode_score
from cmaudio.score.overlaps import superfluous_note_offs
from cmaudio.score.ranges import BEND_MAX_SEMITONES
from cmaudio.score.smf import EXCLUSIVE, EXPORT_AGAIN, TEMPO, Song

MAX_SECONDS = 6 * 3600.0
MAX_BYTES = 16 * 2**20
_GM_VOLUME, _FULL_VOLUME = 100, 127  # defaults: if other channels set their volume, and if none does

_NOTICES = {
    "damaged": "{} track(s) damaged or cut off: everything after the damage is left out",
    "missing": "{} track(s) announced by the file are missing",
    "sequence": "{} independent tracks (type 2 file) are played one after another",
    "tempo": "{} tempo change(s) with a wrong length were ignored",
    "struck again": "{} note(s) were struck again while they sounded: the earlier one ends there",
    "stray": "{} note-off(s) without a sounding note were ignored",
    "hanging": "{} note(s) were never ended: they end with the file",
    "pedal": "{} sustain pedal(s) were never lifted: they are lifted at the end of the file",
    "sostenuto": "{} sostenuto pedal(s) were never lifted: they are lifted at the end of the file",
    "range": "{} pitch bend range(s) over " + f"{BEND_MAX_SEMITONES:.0f} semitones were limited to that",
    "parameter": "{} value(s) of unknown registered parameters were ignored",
    "tuning": "{} tuning(s) of single keys were ignored: all octaves are equal-tempered",
    "effects on drums": "{} choice(s) of a kit of sound effects (XG bank 126) on channel 10 were ignored: drums play",
    "melody on drums": "{} choice(s) of a melodic sound on channel 10 were ignored: drums play",
    "effects": "{} sound effect(s) of XG kits (bank 126) were left out: General MIDI has nothing like them",
}
_UNENDED: dict[type[Event], str] = {NoteOff: "hanging", Sustain: "pedal", Sostenuto: "sostenuto"}


def read_midi(path: str | Path) -> Score:
    """Read the Standard MIDI File at `path`, of type 0, 1 or 2, at most 6 hours, 16 MiB and a million messages long.

    Messages are interpreted as from a port (`cmaudio.score.interpreter`). A channel that never sets its volume (CC7)
    counts as 100 where other channels set it (the General MIDI default) and as 127 where none does. CC123 to 127 end
    each sounding note as its key would (the pedal still holds it), CC120 also sends AllNotesOff. Every NoteOn has a
    NoteOff, and percussion is on channel 10 (index 9) with program 0, whichever channel it has in the file. Repairs
    are listed in `Score.notices`, one line for each kind.

    Raises:
        CmaudioError: a file that cannot be read, is not MIDI, holds no notes, has zero ticks per beat, a tempo of
            zero or an unknown frame rate, or is too long.
    """
    return parse_midi(_read_bytes(expanded(path)), str(path))


def parse_midi(data: bytes, name: str) -> Score:
    """Read the contents of a Standard MIDI File; see `read_midi`.

    Args:
        data: the file's bytes.
        name: what messages call it; its stem names the score.
    """
    if len(data) > MAX_BYTES:
        raise CmaudioError(f"{name}: is larger than {MAX_BYTES // 2**20} MiB, the maximum. Split it.")
    path = Path(name)
    song = Song(path, data)
    reading = _Reading(song)
    if not reading.has_notes:
        damage = "; it is damaged" if song.notices["damaged"] or song.notices["missing"] else ""
        raise CmaudioError(f"{path}: holds no notes{damage}. {EXPORT_AGAIN}")
    duration = reading.events[-1][0]
    if duration > MAX_SECONDS:
        hours = f"{duration / 3600:.1f}"
        raise CmaudioError(f"{path}: lasts {hours} hours; at most 6 are allowed. Shorten it or remove the long gap.")
    notices = [text.format(song.notices[kind]) for kind, text in _NOTICES.items() if song.notices[kind]]
    return Score(path.stem, reading.events, duration, list(reading.programs), list(reading.percussion), notices)


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
    return data


class _Reading:
    """The events of a song in time order, with the programs and percussion keys in the order of first use."""

    def __init__(self, song: Song) -> None:
        self.events: list[tuple[float, Event]] = []
        self.programs: dict[int, None] = {}
        self.percussion: dict[int, None] = {}
        self._interpreter = MidiInterpreter(
            volume=_default_volume(song), on_problem=lambda kind: song.notices.update((kind,))
        )
        times = song.seconds().tolist()
        left_out = superfluous_note_offs(song.ticks.tolist(), song.words)
        for i, (time, word) in enumerate(zip(times, song.words, strict=False)):
            if word >= TEMPO or i in left_out:
                continue
            if word >= EXCLUSIVE:
                self._add(time, self._interpreter.exclusive(song.exclusives[word - EXCLUSIVE]))
            else:
                self._add(time, self._interpreter.message((word >> 16, word >> 8 & 0x7F, word & 0x7F)))
        unended = self._interpreter.release_all()
        song.notices.update(_UNENDED[type(event)] for event in unended)
        self._add(times[-1], unended)

    @property
    def has_notes(self) -> bool:
        return bool(self.programs or self.percussion)

    def _add(self, time: float, events: list[Event]) -> None:
        for event in events:
            if isinstance(event, NoteOn):
                if event.channel == PERCUSSION_CHANNEL and not self._interpreter.zones.contains(event.channel):
                    self.percussion.setdefault(event.pitch)
                else:
                    self.programs.setdefault(event.program)
            self.events.append((time, event))


def _default_volume(song: Song) -> int:
    sets_volume = any(word >> 20 == CONTROL >> 4 and word >> 8 & 0x7F == VOLUME for word in song.words)
    return _GM_VOLUME if sets_volume else _FULL_VOLUME


def write_midi(path: str | Path | BinaryIO, score: Score) -> None:
    """Write `score` to `path` as a Standard MIDI File of type 1, one track for each channel, whole or not at all.

    `path` may also be a binary file that is open.

    Times are rounded to 1/19200 s, gains to steps of CC7 (those over 1 become 1), bends to 1/8192 of the channel's
    largest bend or of 2 semitones. Raises CmaudioError if the file cannot be written.
    """
    data = encode_score(score)
    if not isinstance(path, str | os.PathLike):
        check_open(path)
        copy_to(path, io.BytesIO(data))
        return
    with atomic_file(path) as temporary:
        try:
            temporary.write_bytes(data)
        except OSError as error:
            raise CmaudioError(f"{path}: cannot be written ({error}). Free some space, or write elsewhere.") from error
