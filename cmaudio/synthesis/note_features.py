"""The networks' input features of a note in each frame. Shapes: B voices, T frames."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

NOTE_FEATURES = 16
UNPITCHED_SEMITONES = 60.0  # the pitch input for unpitched sounds
# Training notes last 3.4 s; a longer clock would give the network values it never saw in training.
_CLOCK_MAX_SECONDS = 3.3


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
