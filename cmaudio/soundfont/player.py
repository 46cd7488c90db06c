"""Renders notes of a SoundFont with TinySoundFont, for training material and as the reference in evaluation."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import is_file
from cmaudio.signal.dsp import Float

PLACES = (
    Path("/usr/share/sounds/sf3/MuseScore_General_Lite.sf3"),
    Path("/usr/share/sounds/sf3/MuseScore_General.sf3"),
    Path("/usr/share/sounds/sf2/MuseScore_General.sf2"),
    Path("/usr/share/sounds/sf3/default-GM.sf3"),
    Path("/usr/share/sounds/sf2/default-GM.sf2"),
)
NO_SOUNDFONT = "no SoundFont: give --soundfont FILE or install musescore-general-soundfont-small"
GAIN_DB = -6.0
TRAINING_GAIN = 4.0  # gain of training material over the SoundFont's output
BEND_RANGE_SEMITONES = 12.0
BEND_CENTRE = 8192
_FLUSH_SAMPLES = 1024
_FLUSHES = 8


class SoundFont:
    """One SoundFont on one TinySoundFont synthesizer; left and right are averaged."""

    def __init__(self, path: Path, sample_rate: int) -> None:
        import tinysoundfont

        self.path, self.sample_rate = path, sample_rate
        self._synth: Any = tinysoundfont.Synth(samplerate=sample_rate, gain=GAIN_DB)
        self._font = self._synth.sfload(str(path))

    @property
    def description(self) -> dict[str, str]:
        """File name and checksum."""
        return {"name": self.path.name, "sha256": hashlib.sha256(self.path.read_bytes()).hexdigest()}

    def select(self, program: int, channel: int = 0) -> None:
        """Select General MIDI program 0..127 of the melodic bank, with a bend range of an octave."""
        self.program(program, channel)
        self._synth.pitchbend_range(channel, BEND_RANGE_SEMITONES)
        self._synth.pitchbend(channel, BEND_CENTRE)

    def program(self, program: int, channel: int = 0) -> None:
        """Change only the General MIDI program 0..127, for later notes."""
        self._synth.program_select(channel, self._font, 0, program)

    def on(self, pitch: int, velocity: int, channel: int = 0) -> None:
        self._synth.noteon(channel, pitch, velocity)

    def off(self, pitch: int, channel: int = 0) -> None:
        self._synth.noteoff(channel, pitch)

    def bend(self, semitones: float, channel: int = 0) -> None:
        """Bend by at most an octave up or down."""
        self._synth.pitchbend(channel, bend_position(semitones))

    def control(self, number: int, value: int, channel: int = 0) -> None:
        """Send a MIDI controller, e.g. 64 for the sustain pedal."""
        self._synth.control_change(channel, number, value)

    def read(self, samples: int) -> Float:
        """The next (N,) samples."""
        stereo = np.frombuffer(bytes(self._synth.generate(samples)), np.float32).reshape(-1, 2)
        return stereo.mean(1)

    def silence(self, channel: int = 0) -> None:
        """Stop all notes at once, and discard their remaining samples."""
        self._synth.sounds_off(channel)
        for _ in range(_FLUSHES):
            self._synth.generate(_FLUSH_SAMPLES)

    def note(self, program: int, pitch: int, velocity: int, samples: int) -> Float:
        """(N,) samples of a held note, starting at its onset."""
        self.select(program)
        self.on(pitch, velocity)
        out = self.read(samples)
        self.silence()
        return out


def bend_position(semitones: float) -> int:
    """Of the pitch wheel, for at most an octave up or down."""
    position = BEND_CENTRE + semitones / BEND_RANGE_SEMITONES * (BEND_CENTRE - 1)
    return int(min(max(position, 0), 2 * BEND_CENTRE - 1))


def find_soundfont(path: Path | None) -> Path | None:
    """The given file, or the first SoundFont that is installed, None if there is none.

    Raises CmaudioError: there is no such file.
    """
    found = path or next((place for place in PLACES if place.is_file()), None)
    if found is not None and not is_file(found):
        raise CmaudioError(f"no SoundFont {found}: give a .sf2 or .sf3 file, or leave it out for an installed one")
    return found


def open_soundfont(path: Path | None, sample_rate: int) -> SoundFont | str:
    """The SoundFont of a file, or the first that is installed; if there is none, the reason as text.

    Raises:
        CmaudioError: the given file cannot be read.
    """
    found = find_soundfont(path)
    if found is None:
        return NO_SOUNDFONT
    try:
        return SoundFont(found, sample_rate)
    except ImportError:
        return "tinysoundfont is missing: pip install tinysoundfont"
    except Exception as error:  # TinySoundFont raises its own classes, and only says that loading failed
        raise CmaudioError(f"SoundFont {found} cannot be loaded ({error}); give another .sf2 or .sf3 file") from error
