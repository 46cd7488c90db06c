"""The pitch of one held sound by autocorrelation: YIN (de Cheveigné and Kawahara 2002, JASA 111, 1917).

It needs no model and no other library; speech and corpora are tracked by `cmaudio.training.prepare.pitch`.
Shapes: N samples, T frames, L lags.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

LOWEST_HZ, HIGHEST_HZ = 27.0, 4200.0
_DIP = 0.15  # of the normalised difference: below it, a frame is pitched
_QUIET_DB = -40.0  # relative to the loudest frame; quieter frames are ignored
_AUDIBLE = 1e-3
_MOST_FRAMES = 200


@dataclass(frozen=True)
class PitchFound:
    """`key` is the median MIDI note number of the pitched frames; 60 if there are none.

    `share` of the loud frames are pitched; `range_semitones` holds the middle 80 % of them.
    """

    key: float
    share: float
    range_semitones: float


def find_pitch(samples: Float, sample_rate: int) -> PitchFound:
    """The pitch of a sound (N,)."""
    longest = int(sample_rate / LOWEST_HZ)
    if len(samples) < 3 * longest:
        samples = np.concatenate([samples, np.zeros(3 * longest - len(samples), np.float32)])
    frames = sliding_window_view(samples.astype(np.float64), 3 * longest)
    frames = frames[:: max(longest // 2, len(frames) // _MOST_FRAMES)]
    power = np.square(frames).mean(1)
    loud = frames[power > power.max() * 10 ** (_QUIET_DB / 10)] if power.max() > 0 else frames[:0]
    periods = np.array([_period(frame, longest, sample_rate) for frame in loud])
    found = periods[periods > 0]
    if not len(found):
        return PitchFound(60.0, 0.0, 0.0)
    keys = 69 + 12 * np.log2(sample_rate / found / 440)
    low, high = np.quantile(keys, [0.1, 0.9]).tolist()
    return PitchFound(float(np.median(keys)), len(found) / len(loud), high - low)


def sounding_hz(samples: Float, sample_rate: int) -> float:
    """The pitch of the last samples (N,), in Hz; 0 for none. It uses at most `3 / LOWEST_HZ` seconds."""
    longest = int(sample_rate / LOWEST_HZ)
    frame = samples[-3 * longest :].astype(np.float64)
    if len(frame) < 3 * longest or not np.abs(frame).max() > _AUDIBLE:
        return 0.0
    period = _period(frame, longest, sample_rate)
    return sample_rate / period if period else 0.0


def _period(frame: NDArray[np.float64], longest: int, sample_rate: int) -> float:
    """The period in samples of a frame (3 L,), 0 without one."""
    difference = _difference(frame, longest)
    shortest = max(2, int(sample_rate / HIGHEST_HZ))
    below = np.flatnonzero(difference[shortest:] < _DIP)
    if not len(below):
        return 0.0
    lag = shortest + int(below[0])
    while lag + 1 < longest and difference[lag + 1] < difference[lag]:
        lag += 1
    before, here, after = difference[lag - 1], difference[lag], difference[min(lag + 1, longest)]
    curve = before - 2 * here + after
    return lag + (0.5 * (before - after) / curve if curve > 0 else 0.0)


def _difference(frame: NDArray[np.float64], longest: int) -> NDArray[np.float64]:
    """The cumulative mean normalised difference (L + 1,), equation 8 of the paper."""
    window = len(frame) - longest
    size = 1 << (2 * len(frame) - 1).bit_length()
    spectrum = np.fft.rfft(frame, size)
    head = np.fft.rfft(frame[:window], size)
    correlation = np.fft.irfft(spectrum * head.conj(), size)[: longest + 1]
    energy = np.concatenate([[0.0], np.cumsum(np.square(frame))])
    lags = np.arange(longest + 1)
    difference = energy[window] + energy[window + lags] - energy[lags] - 2 * correlation
    total = np.cumsum(difference[1:])
    normalised = difference[1:] * lags[1:] / np.maximum(total, 1e-12)
    return np.concatenate([[1.0], normalised])
