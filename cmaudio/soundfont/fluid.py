"""Plays a SoundFont by the library FluidSynth, which implements the modulators of the specification."""

from __future__ import annotations

import ctypes
import ctypes.util
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.signal.dsp import Float
from cmaudio.soundfont.player import BEND_CENTRE, BEND_RANGE_SEMITONES, SoundFont, bend_position

MISSING = "the library FluidSynth is missing: apt install libfluidsynth3 (brew install fluid-synth)"
GAIN = 0.5  # matches TinySoundFont in level: median over General MIDI at velocity 90
_BLOCK = 64  # samples; FluidSynth applies events at multiples of it
_PERCUSSION_BANK = 128
_FLUSH_SAMPLES = 8192
_FAILED = -1
_OFF = (b"synth.reverb.active", b"synth.chorus.active")
_PLAIN = ctypes.c_int, ctypes.c_int
_SIGNATURES: dict[str, tuple[Any, tuple[Any, ...]]] = {
    "new_fluid_settings": (ctypes.c_void_p, ()),
    "delete_fluid_settings": (None, (ctypes.c_void_p,)),
    "fluid_settings_setnum": (ctypes.c_int, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_double)),
    "fluid_settings_setint": (ctypes.c_int, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)),
    "fluid_set_log_function": (ctypes.c_void_p, (ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)),
    "new_fluid_synth": (ctypes.c_void_p, (ctypes.c_void_p,)),
    "delete_fluid_synth": (None, (ctypes.c_void_p,)),
    "fluid_synth_sfload": (ctypes.c_int, (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_int)),
    "fluid_synth_program_select": (ctypes.c_int, (ctypes.c_void_p, *_PLAIN, *_PLAIN)),
    "fluid_synth_pitch_wheel_sens": (ctypes.c_int, (ctypes.c_void_p, *_PLAIN)),
    "fluid_synth_pitch_bend": (ctypes.c_int, (ctypes.c_void_p, *_PLAIN)),
    "fluid_synth_noteon": (ctypes.c_int, (ctypes.c_void_p, *_PLAIN, ctypes.c_int)),
    "fluid_synth_noteoff": (ctypes.c_int, (ctypes.c_void_p, *_PLAIN)),
    "fluid_synth_cc": (ctypes.c_int, (ctypes.c_void_p, *_PLAIN, ctypes.c_int)),
    "fluid_synth_all_sounds_off": (ctypes.c_int, (ctypes.c_void_p, ctypes.c_int)),
    "fluid_synth_write_float": (
        ctypes.c_int,
        (ctypes.c_void_p, ctypes.c_int, *(ctypes.c_void_p, *_PLAIN) * 2),
    ),
}


@lru_cache(1)
def library() -> Any:
    """The shared library, None if it is not installed."""
    name = ctypes.util.find_library("fluidsynth")
    if name is None:
        return None
    try:
        loaded = ctypes.CDLL(name)
        for function, (result, arguments) in _SIGNATURES.items():
            getattr(loaded, function).restype = result
            getattr(loaded, function).argtypes = arguments
    except (OSError, AttributeError):  # unusable or much too old
        return None
    for level in range(5):  # silence its messages about imperfect files
        loaded.fluid_set_log_function(level, None, None)
    return loaded


def is_installed() -> bool:
    return library() is not None


class FluidSoundFont(SoundFont):
    """One SoundFont on one FluidSynth synthesizer, without effects; left and right are averaged.

    Raises CmaudioError if the library is missing or cannot load the file.
    """

    def __init__(self, path: Path, sample_rate: int) -> None:
        self.path, self.sample_rate = path, sample_rate
        self._library = library()
        if self._library is None:
            raise CmaudioError(MISSING)
        self._settings = self._library.new_fluid_settings()
        self._library.fluid_settings_setnum(self._settings, b"synth.sample-rate", float(sample_rate))
        self._library.fluid_settings_setnum(self._settings, b"synth.gain", GAIN)
        for effect in _OFF:
            self._library.fluid_settings_setint(self._settings, effect, 0)
        self._fluid = self._library.new_fluid_synth(self._settings)
        self._read = 0
        self._number = self._library.fluid_synth_sfload(self._fluid, str(path).encode(), 0)
        if self._number == _FAILED:
            raise CmaudioError(f"FluidSynth cannot load {path}: give another .sf2 or .sf3 file")

    def __del__(self) -> None:
        if getattr(self, "_fluid", None):
            self._library.delete_fluid_synth(self._fluid)
        if getattr(self, "_settings", None):
            self._library.delete_fluid_settings(self._settings)

    @property
    def description(self) -> dict[str, str]:
        return super().description | {"player": "FluidSynth"}

    def select(self, program: int, channel: int = 0) -> None:
        self.program(program, channel)
        self._library.fluid_synth_pitch_wheel_sens(self._fluid, channel, round(BEND_RANGE_SEMITONES))
        self._library.fluid_synth_pitch_bend(self._fluid, channel, BEND_CENTRE)

    def select_drums(self, channel: int = 0) -> None:
        """The standard drum kit, its pitch wheel at rest."""
        self.select(0, channel)
        self._library.fluid_synth_program_select(self._fluid, channel, self._number, _PERCUSSION_BANK, 0)

    def program(self, program: int, channel: int = 0) -> None:
        self._library.fluid_synth_program_select(self._fluid, channel, self._number, 0, program)

    def on(self, pitch: int, velocity: int, channel: int = 0) -> None:
        self._library.fluid_synth_noteon(self._fluid, channel, pitch, velocity)

    def off(self, pitch: int, channel: int = 0) -> None:
        self._library.fluid_synth_noteoff(self._fluid, channel, pitch)

    def bend(self, semitones: float, channel: int = 0) -> None:
        self._library.fluid_synth_pitch_bend(self._fluid, channel, bend_position(semitones))

    def control(self, number: int, value: int, channel: int = 0) -> None:
        self._library.fluid_synth_cc(self._fluid, channel, number, value)

    def read(self, samples: int) -> Float:
        """The next (N,) samples. Events take effect at the next multiple of 64."""
        stereo = np.zeros((2, samples), np.float32)
        sides = (stereo[0].ctypes.data, 0, 1, stereo[1].ctypes.data, 0, 1)
        self._library.fluid_synth_write_float(self._fluid, samples, *sides)
        self._read += samples
        return stereo.mean(0)

    def silence(self, channel: int = 0) -> None:
        self._library.fluid_synth_all_sounds_off(self._fluid, channel)
        self.read(_FLUSH_SAMPLES + -self._read % _BLOCK)
