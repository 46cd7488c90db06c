"""The networks' input features of a note in each frame, by the name of the set in a manifest's `features`.

"note-1" is `note_features`; "note-2" adds clocks with a longer range, and sines of pitch and velocity, which resolve
the key and velocity zones of a sampled instrument.

Shapes: B voices, T frames.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

NOTE_FEATURES = 16
UNPITCHED_SEMITONES = 60.0  # the pitch input for unpitched sounds
# Training notes last 3.4 s; a longer clock would give the network values it never saw in training.
_CLOCK_MAX_SECONDS = 3.3
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


def note_features(
    since_onset: NDArray[np.float64],
    since_release: NDArray[np.float64],
    semitones: NDArray[np.float64],
    pitch: NDArray[np.float64],
    velocity: NDArray[np.float64],
) -> Float:
    """The 16 features per frame that describe a note and its age, in addition to its harmonics' log-mel.

    Args:
        since_onset: (B, T) seconds from the onset to the frame's end, negative before.
        since_release: (B, T) seconds from the release to the frame's end, negative before.
        semitones: (B, T) sounding pitch, bend included.
        pitch: (B,) pitch of the key, MIDI note number.
        velocity: (B,) 1..127.
    Returns:
        (B, T, 16) float32.
    """
    on = np.minimum(since_onset, _CLOCK_MAX_SECONDS)
    off = np.minimum(since_release, _CLOCK_MAX_SECONDS)
    on_positive, off_positive = np.maximum(on, 0), np.maximum(off, 0)
    columns = (
        on > 0,
        off > 0,
        (semitones - 60) / 24,
        np.broadcast_to((pitch[:, None] - 60) / 24, semitones.shape),
        np.broadcast_to(velocity[:, None] / 64 - 1, semitones.shape),
        np.log1p(50 * on_positive) / 4,
        np.log1p(50 * off_positive) / 4,
        np.clip(on, -0.05, 0.05) * 40,
        np.exp(-20 * on_positive),
        np.exp(-3 * on_positive),
        np.exp(-0.7 * on_positive),
        np.exp(-8 * off_positive),
        np.sin(0.26 * semitones),
        np.cos(0.26 * semitones),
        np.sin(1.05 * semitones),
        np.cos(1.05 * semitones),
    )
    return np.stack(columns, -1).astype(np.float32)


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
