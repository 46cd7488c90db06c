"""Similarity of two renderings of a piece: level, octave balance and onsets.

Shapes: N samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float, Mel, Stft

OCTAVES_HZ = (31.25, 62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0)  # the lower edges
HEARD_DB = 40.0  # octaves further below the loudest one are inaudible in the mix
_BANDS, _RANGE_DB = 64, 60.0
_LOWEST_HZ, _HIGHEST_HZ, _SILENCE = 40.0, 16_000.0, 1e-7
_ONSET_SECONDS = (-0.02, 0.08)  # around the onsets of the score
_NEPER_DB = 20 / np.log(10)
_STFT = Stft(2048, 512)

Array = NDArray[np.float64]


def octave_levels_db(signal: Float, sample_rate: int) -> Array:
    """Power of each octave from 31 Hz to 16 kHz, in dB."""
    power = np.square(np.abs(np.fft.rfft(signal.astype(np.float64)))) / max(1, len(signal)) ** 2
    hz = np.fft.rfftfreq(len(signal), 1 / sample_rate)
    sums = [power[(hz >= low) & (hz < 2 * low)].sum() for low in OCTAVES_HZ]
    return np.asarray(10 * np.log10(np.array(sums) + 1e-20))


def octave_differences_db(ours: Float, theirs: Float, sample_rate: int) -> dict[float, float]:
    """Differences, by lower edge in Hz, of the octaves that are audible in the second, after matching total level."""
    a, b = (octave_levels_db(signal, sample_rate) for signal in (ours, theirs))
    total = [10 * np.log10(np.sum(10 ** (levels / 10))) for levels in (a, b)]
    audible = b > b.max() - HEARD_DB
    differences = (a - total[0]) - (b - total[1])
    return {hz: float(value) for hz, value, counts in zip(OCTAVES_HZ, differences, audible, strict=True) if counts}


def onset_flux_db(signal: Float, sample_rate: int, onsets: Sequence[float]) -> float:
    """How much the levels of mel bands rise around these onsets in seconds, mean over bands and onsets.

    Bands count within 60 dB of the loudest.
    """
    mel = Mel(sample_rate, _STFT.n_fft, _BANDS, _LOWEST_HZ, _HIGHEST_HZ, _SILENCE)
    hops = len(signal) // _STFT.hop_length * _STFT.hop_length
    levels = _NEPER_DB * mel(_STFT.analyse(np.concatenate([np.zeros(_STFT.overlap, np.float32), signal[:hops]])))
    levels = np.maximum(levels, levels.max() - _RANGE_DB)
    rise = np.maximum(np.diff(levels, axis=0), 0).mean(1)
    first, last = (round(seconds * sample_rate / _STFT.hop_length) for seconds in _ONSET_SECONDS)
    frames = [round(onset * sample_rate / _STFT.hop_length) for onset in onsets]
    return float(np.mean([rise[max(0, frame + first) : frame + last].sum() for frame in frames]))
