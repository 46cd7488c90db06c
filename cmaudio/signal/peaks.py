"""Lasting spectral peaks of a note: partials, distinguished from noise by occurring in both halves of it.

Under a Gaussian window the logarithm of a partial's spectrum is a parabola (except for the truncation of the window),
so a parabola through the three highest bins gives its frequency to far below a hundredth of a bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

_WINDOW_SIGMAS = 4.5  # on either side of the centre: the truncated ends are 88 dB down
_PADDING = 2
_RANGE_NEPERS = 7.0  # 61 dB: weaker peaks are ignored
_SAME_CENTS = 12.0  # between the halves of a note: strings drift by a few cents as they decay
_NEAR_HZ = 8.0
_HARMONICS = 8  # compared with the power between them
_NARROWEST_HZ = 2.0  # the resolution of half a note


@dataclass(frozen=True)
class Peak:
    """A partial: its frequency in Hz and its level in dB below the strongest."""

    hz: float
    level_db: float


def _spectrum(signal: Float, sample_rate: int) -> tuple[NDArray[np.float64], float]:
    """Magnitudes under a Gaussian window, and the width of a bin in Hz."""
    window = np.exp(-0.5 * np.square(np.linspace(-_WINDOW_SIGMAS, _WINDOW_SIGMAS, len(signal))))
    n_fft = 1 << (_PADDING * len(signal) - 1).bit_length()
    return np.abs(np.fft.rfft(signal * window, n_fft)) + 1e-12, sample_rate / n_fft


def spectral_peaks(signal: Float, sample_rate: int, *, lowest_hz: float, apart_hz: float, count: int) -> list[Peak]:
    """The strongest peaks above a frequency, the strongest first, none closer to a stronger one than `apart_hz`."""
    magnitudes, bin_hz = _spectrum(signal, sample_rate)
    logs = np.log(magnitudes)
    tops = np.flatnonzero((logs[1:-1] > logs[:-2]) & (logs[1:-1] >= logs[2:])) + 1
    tops = tops[tops * bin_hz > lowest_hz]
    tops = tops[logs[tops] > logs[tops].max(initial=-np.inf) - _RANGE_NEPERS]
    found: list[Peak] = []
    for top in tops[np.argsort(-logs[tops], kind="stable")]:
        a, b, c = logs[top - 1 : top + 2]
        hz = float((top + 0.5 * (a - c) / (a - 2 * b + c)) * bin_hz)
        if all(abs(hz - peak.hz) >= apart_hz for peak in found):
            level = float(b - logs[tops].max()) * 20 / np.log(10)
            found.append(Peak(hz, level))
        if len(found) == count:
            break
    return found


def lasting_peaks(
    signal: Float, sample_rate: int, *, lowest_hz: float, apart_hz: float, count: int, range_db: float
) -> list[Peak]:
    """Peaks of the signal that are in both of its halves, at most `range_db` below the strongest."""
    middle = len(signal) // 2
    halves = [
        spectral_peaks(part, sample_rate, lowest_hz=lowest_hz, apart_hz=apart_hz, count=4 * count)
        for part in (signal[:middle], signal[middle:])
    ]
    peaks = spectral_peaks(signal, sample_rate, lowest_hz=lowest_hz, apart_hz=apart_hz, count=2 * count)
    lasting = [
        peak
        for peak in peaks
        if peak.level_db >= -range_db and all(any(_same(peak, other) for other in half) for half in halves)
    ]
    return lasting[:count]


def power_share(signal: Float, sample_rate: int, partials_hz: Sequence[float]) -> float:
    """Share of the signal's power within 8 Hz of these frequencies."""
    magnitudes, bin_hz = _spectrum(signal, sample_rate)
    hz = np.arange(len(magnitudes)) * bin_hz
    near = np.zeros(len(hz), bool)
    for partial in partials_hz:
        near |= np.abs(hz - partial) < _NEAR_HZ
    power = np.square(magnitudes)
    return float(power[near].sum() / power.sum())


def _same(peak: Peak, other: Peak) -> bool:
    return abs(peak.hz - other.hz) <= max(_NARROWEST_HZ, peak.hz * (2 ** (_SAME_CENTS / 1200) - 1))


def harmonic_contrast(signal: Float, sample_rate: int, f0: float) -> float:
    """How far the power at the harmonics of `f0` (Hz) is above that halfway between them, in dB.

    The median of the first eight harmonics; around 0 for noise. Each is integrated over 3 % (half a semitone) on either
    side, at most a fifth of their spacing, so that vibrato and choruses still count as harmonic.
    """
    spectrum, bin_hz = _spectrum(signal, sample_rate)
    power = np.square(spectrum)
    contrasts = []
    for k in range(1, _HARMONICS + 1):
        half = max(min(0.03 * k, 0.2) * f0, 2 * bin_hz)
        if (k + 0.5) * f0 + half > sample_rate / 2:
            break
        at, below, above = (_mean(power, center * f0, half, bin_hz) for center in (k, k - 0.5, k + 0.5))
        contrasts.append(10 * np.log10(2 * at / (below + above)))
    return float(np.median(contrasts)) if contrasts else 0.0


def _mean(power: NDArray[np.float64], hz: float, half: float, bin_hz: float) -> float:
    return float(power[round((hz - half) / bin_hz) : round((hz + half) / bin_hz) + 1].mean())
