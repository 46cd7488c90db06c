"""Frequency and amplitude modulation of the partials of a held note.

Each partial is shifted to 0 Hz and low-pass filtered, which leaves its slow complex envelope (Hilbert demodulation):
the rate of its angle is the frequency deviation. Where beating components cancel, the angle jumps, so frequencies are
averaged weighted by power.

Shapes: N samples, K partials, T times at `TRACK_RATE`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

Array = NDArray[np.float64]

TRACK_RATE = 200  # Hz
PARTIALS = 8
SMOOTHING = 21  # frames, 0.1 s: keeps modulation below about 8 Hz
_WIDEST_HZ, _WIDEST_SHARE = 60.0, 0.45  # bandwidth on either side of a partial; share of their spacing
_HIGHEST_HZ = 12_000.0
_STRONGEST = 4  # partials
_TINY = 1e-30


@dataclass(frozen=True)
class PartialTracks:
    """The lowest partials of a note.

    Attributes:
        envelopes: (K, T) complex.
        f0_hz: of the note; partial k is at (k + 1) f0_hz.
    """

    envelopes: NDArray[np.complex128]
    f0_hz: float

    @property
    def numbers(self) -> Array:
        """(K, 1) numbers of the partials, from 1."""
        return np.arange(1.0, len(self.envelopes) + 1)[:, None]

    @property
    def power(self) -> Array:
        """(K, T - 1)"""
        return np.abs(self.envelopes[:, 1:]) * np.abs(self.envelopes[:, :-1])

    @property
    def cents(self) -> Array:
        """(K, T - 1) deviation of the partials from their nominal frequencies."""
        turned = np.angle(self.envelopes[:, 1:] * np.conj(self.envelopes[:, :-1])) * TRACK_RATE / (2 * np.pi)
        return 1200 / np.log(2) * turned / (self.numbers * self.f0_hz)

    def common_cents(self) -> Array:
        """(T - 1,) mean over the partials, weighted by power."""
        return np.asarray((self.power * self.cents).sum(0) / (self.power.sum(0) + _TINY))

    def between(self, start_s: float, end_s: float) -> PartialTracks:
        return PartialTracks(self.envelopes[:, round(start_s * TRACK_RATE) : round(end_s * TRACK_RATE)], self.f0_hz)

    def strongest(self, count: int) -> NDArray[np.intp]:
        """Indices of the strongest partials."""
        return np.argsort(-self.power.mean(1), kind="stable")[:count]


def partial_tracks(signal: Float, sample_rate: int, f0_hz: float) -> PartialTracks:
    """The lowest 8 partials, up to 12 kHz, of (N,) samples."""
    spectrum, samples = np.fft.rfft(signal), len(signal)
    times = samples * TRACK_RATE // sample_rate
    half = int(min(_WIDEST_SHARE * f0_hz, _WIDEST_HZ) * samples / sample_rate)
    window = np.hanning(2 * half + 3)[1:-1]
    count = max(1, min(PARTIALS, int(_HIGHEST_HZ / f0_hz)))
    envelopes = np.zeros((count, times), np.complex128)
    seconds = np.arange(times) / TRACK_RATE
    for number in range(1, count + 1):
        middle = round(number * f0_hz * samples / sample_rate)
        part = spectrum[middle - half : middle + half + 1] * window
        baseband = np.zeros(times, np.complex128)
        baseband[: half + 1], baseband[-half:] = part[half:], part[:half]
        off = middle * sample_rate / samples - number * f0_hz
        envelopes[number - 1] = np.fft.ifft(baseband) * (2 * times / samples) * np.exp(2j * np.pi * off * seconds)
    return PartialTracks(envelopes, f0_hz)


def smoothed(values: Array, times: int = SMOOTHING) -> Array:
    """(..., T) -> (..., T), averaged over a Hann window of odd length; edge values are repeated."""
    window = np.hanning(times + 2)[1:-1]
    padded = np.pad(values, [(0, 0)] * (values.ndim - 1) + [(times // 2, times // 2)], mode="edge")
    views = np.lib.stride_tricks.sliding_window_view(padded, times, axis=-1)
    return np.asarray(views @ (window / window.sum()))


def smooth_cents(tracks: PartialTracks, times: int = SMOOTHING) -> Array:
    """(K, T - 1) cents of each partial, averaged over 0.1 s, weighted by power."""
    power = tracks.power
    return smoothed(power * tracks.cents, times) / (smoothed(power, times) + _TINY)


def frequency_modulation(tracks: PartialTracks) -> float:
    """Standard deviation in cents of the strongest partials' frequencies (below 8 Hz), their median."""
    return float(np.median(smooth_cents(tracks).std(1)[tracks.strongest(_STRONGEST)]))


def amplitude_modulation(tracks: PartialTracks) -> float:
    """Standard deviation in dB of the strongest partials' levels around a linear trend, their median."""
    levels = 10 * np.log10(smoothed(tracks.power)[tracks.strongest(_STRONGEST)] + _TINY)
    times = np.arange(levels.shape[1], dtype=np.float64)
    courses = np.polynomial.polynomial.polyval(times, np.polynomial.polynomial.polyfit(times, levels.T, 1))
    return float(np.median((levels - courses).std(1)))
