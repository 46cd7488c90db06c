"""The measurements of an example: its log-mel from the onset on, its pitch, and whether it is endless.

Shapes: N samples, T frames, M mel bands. Log-mel is the natural logarithm of an amplitude, not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from cmaudio.learning.reading import Sound, loudest_db
from cmaudio.model.file import Model
from cmaudio.signal.dsp import Float
from cmaudio.signal.pitch import PitchFound, find_pitch

Kind = Literal["auto", "bed", "one-shot"]
LEVEL_DB, PEAK = -18.0, 0.98  # of the loudest 0.4 s of the loudest example, or its peak if that is reached first
LONGEST_ONE_SHOT_SECONDS = 8.0
_LEVEL_SECONDS = 0.4
_START_DB, _BEFORE_START_SECONDS = -50.0, 0.002
_SHORTEST_BED_SECONDS, _DECAYED_DB = 2.5, 12.0
_ENDS_DB = 15.0  # below the median of a bed: fades at its ends are cut
_PITCHED_SHARE, _HELD_SEMITONES = 0.6, 1.5

DB = 20 / np.log(10)


@dataclass(frozen=True)
class Example:
    """One recording: `mel` (T, M) from its onset on, and its pitch."""

    name: str
    mel: Float
    pitch: PitchFound

    @property
    def tonal(self) -> bool:
        """Whether it has a single pitch, like a note."""
        return self.pitch.share >= _PITCHED_SHARE and self.pitch.range_semitones <= _HELD_SEMITONES

    @property
    def speaks(self) -> bool:
        """Whether its pitch varies as in speech, song and music."""
        return self.pitch.share > 0.3 and self.pitch.range_semitones > 3

    def goes_on(self, frame_rate: float) -> bool:
        """Whether it is long, and as loud near its end as at its start."""
        power = np.exp(2 * self.mel.astype(np.float64)).mean(1)
        levels = [10 * np.log10(part.mean()) for part in np.array_split(power, 6)] if len(power) >= 6 else [0.0, -99.0]
        return len(power) / frame_rate > _SHORTEST_BED_SECONDS and levels[-2] > max(levels) - _DECAYED_DB


def measure(sounds: Sequence[Sound], model: Model) -> list[Example]:
    """The examples, brought to the level of the model's own recordings by a common gain."""
    rate = model.manifest.sample_rate
    loudest = max(loudest_db(sound.samples, rate, _LEVEL_SECONDS) for sound in sounds)
    peak = max(float(np.abs(sound.samples).max()) for sound in sounds)
    gain = np.float32(min(10 ** ((LEVEL_DB - loudest) / 20), PEAK / peak))
    return [
        Example(sound.name, log_mel(from_onset(gain * sound.samples, rate), model), find_pitch(sound.samples, rate))
        for sound in sounds
    ]


def from_onset(samples: Float, sample_rate: int) -> Float:
    """(N,) from where it exceeds the threshold."""
    above = np.abs(samples) >= np.abs(samples).max() * 10 ** (_START_DB / 20)
    return samples[max(0, int(above.argmax()) - int(_BEFORE_START_SECONDS * sample_rate)) :]


def log_mel(samples: Float, model: Model) -> Float:
    """(N,) from the onset on -> (T, M)."""
    stft = model.stft
    frames = -(-len(samples) // stft.hop_length)
    padded = np.zeros(stft.overlap + frames * stft.hop_length, np.float32)
    padded[stft.overlap : stft.overlap + len(samples)] = samples
    return model.mel(stft.analyse(padded))


def steady_part(mel: Float) -> Float:
    """The frames (T, M) of a bed without fades at its ends."""
    levels = 10 * np.log10(np.exp(2 * mel.astype(np.float64)).mean(1))
    sounding = np.flatnonzero(levels > np.median(levels) - _ENDS_DB)
    return mel[sounding[0] : sounding[-1] + 1]
