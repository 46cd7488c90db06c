"""Conversion of sampling rates as the scoring models expect it: the windowed sinc that torchaudio uses by default.

A resampler of higher quality would move the scores, and they could not be compared with those of others.
"""

from __future__ import annotations

import math

import numpy as np

from cmaudio.signal.dsp import Float

_ZEROS = 6  # of the sinc, on each side
_ROLLOFF = 0.99


def resampled(samples: Float, rate: int, to: int) -> Float:
    """(N,) samples at `rate` Hz -> (ceil(N * to / rate),) at `to` Hz.

    y[j] = sum over i of x[i] h(i / rate - j / to), with h(t) = f / rate sinc(f t) cos^2(pi f t / (2 * 6)) up to the
    sixth zero, and f = 0.99 times the lower of both rates (Smith, "Digital Audio Resampling", 2002).
    """
    if rate == to:
        return samples
    step, phases = rate // math.gcd(rate, to), to // math.gcd(rate, to)  # input samples per so many output samples
    cutoff = _ROLLOFF * min(step, phases)
    width = math.ceil(_ZEROS * step / cutoff)
    taps = np.arange(-width, width + step) / step
    t = np.clip(cutoff * (taps - np.arange(phases)[:, None] / phases), -_ZEROS, _ZEROS)
    filters = np.sinc(t) * np.square(np.cos(np.pi * t / (2 * _ZEROS))) * cutoff / step
    padded = np.pad(samples, (width, width + step))
    windows = np.lib.stride_tricks.sliding_window_view(padded, len(taps))[::step]
    out: Float = (windows @ filters.T.astype(np.float32)).reshape(-1)[: math.ceil(len(samples) * to / rate)]
    return out
