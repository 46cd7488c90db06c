"""The sets of note features that a model may read, by their name in the manifest's `features`.

Shapes: B voices, T frames. "note-1" is `cmaudio.synthesis.note_features`; "note-2" adds clocks with a longer range, and
sines of pitch and velocity, which resolve the key and velocity zones of a sampled instrument.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.synthesis.note_features import NOTE_FEATURES, note_features

# Few notes of a corpus are held longer, and longer clocks would lead a prior astray: with a limit of 12 s the levels of
# sustained timbres stay within 0.8 dB (median) over a minute; with 60 s they would drift by 1.7 dB, the worst by 30.
_LONGEST_HOLD_SECONDS, _LONGEST_RELEASE_SECONDS = 12.0, 10.0
_PITCH_PERIODS = (4.0, 9.0, 36.0)  # semitones
_VELOCITY_PERIODS = (64.0,)
NOTE_KINDS: Mapping[str, int] = {  # numbers per frame
    "note-1": NOTE_FEATURES,
    "note-2": NOTE_FEATURES + 6 + 2 * (len(_PITCH_PERIODS) + len(_VELOCITY_PERIODS)),
}

Array = NDArray[np.float64]


def all_note_features(
    since_onset: Array, since_release: Array, semitones: Array, pitch: Array, velocity: Array
) -> Float:
    """(B, T, 30) float32, of which a feature set is the first columns; arguments as for `note_features`."""
    on = np.clip(since_onset, 0, _LONGEST_HOLD_SECONDS)
    off = np.clip(since_release, 0, _LONGEST_RELEASE_SECONDS)
    columns = [
        np.log1p(20 * on) / 4,
        np.log1p(20 * off) / 4,
        np.exp(-40 * on),
        np.exp(-0.25 * on),
        np.exp(-0.06 * on),
        np.exp(-2 * off),
        *_waves(pitch, _PITCH_PERIODS, on.shape),
        *_waves(velocity, _VELOCITY_PERIODS, on.shape),
    ]
    first = note_features(since_onset, since_release, semitones, pitch, velocity)
    return np.concatenate([first, np.stack(columns, -1).astype(np.float32)], -1)


def _waves(value: Array, periods: tuple[float, ...], shape: tuple[int, ...]) -> list[Array]:
    """(B,) -> a sine and a cosine of shape (B, T) for every period."""
    phases = [2 * np.pi * value[:, None] / period for period in periods]
    return [np.broadcast_to(wave(phase), shape) for phase in phases for wave in (np.sin, np.cos)]
