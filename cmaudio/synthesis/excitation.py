"""Pitch as frequency, and the harmonic excitation as a network input."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float


def semitones_to_hz(semitones: NDArray[np.float64]) -> NDArray[np.float64]:
    """MIDI note numbers (69 = 440 Hz) to Hz, equal temperament."""
    return 440.0 * np.exp2((semitones - 69.0) / 12.0)


def harmonic_picture(log_mel: Float) -> Float:
    """Log-mel of the harmonic excitation, scaled to about unit range: shows the network where the harmonics are."""
    return (log_mel + np.float32(5)) / np.float32(3)


def nearest_key(f0: NDArray[np.floating]) -> float:
    """The MIDI note number nearest to the median of f0 (T,) in Hz where voiced; 60 if unvoiced throughout."""
    voiced = f0[f0 > 0]
    return float(np.round(69 + 12 * np.log2(np.median(voiced) / 440))) if len(voiced) else 60.0
