"""Pitch as frequency, and the harmonic excitation as the network sees it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float


def semitones_to_hz(semitones: NDArray[np.float64]) -> NDArray[np.float64]:
    """MIDI note numbers (69 = 440 Hz) to Hz, equal temperament."""
    return 440.0 * np.exp2((semitones - 69.0) / 12.0)


def harmonic_picture(log_mel: Float) -> Float:
    """Log-mel of the harmonic excitation, scaled to about unit range: it shows the network where harmonics fall."""
    return (log_mel + np.float32(5)) / np.float32(3)
