"""How much of a held note is noise between its partials.

Shapes: N samples, F bins of `N_FFT`, P parts of the spectrum.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

N_FFT = 8192
"""Samples of a frame; at 48 kHz it resolves partials 70 Hz apart."""
_HOP = 4096
_FROM_S, _TO_S = 0.25, 1.0  # after the onset
_LOWEST_PERIODS = 12  # of f0 in a frame
_BETWEEN = (0.35, 0.65)  # of the way from one partial to the next
# The lower quartile of noise, relative to its mean: partials of another series in between are not counted.
_QUARTILE = 0.25
_OF_MEAN = -np.log(1 - _QUARTILE)
_HEARD_DB, _LEAST_POWER = 60.0, 1e-10  # below the loudest part; per sample and bin
_LEAST_SHARE = 1e-5  # less is masked by the partials


def noise_shares(audio: Float, f0_hz: float, sample_rate: int, parts: NDArray[np.bool_]) -> NDArray[np.float64]:
    """(P,) share of noise in the power of the parts (P, F) of a held note (N,), from its onset on.

    NaN where it cannot be told: in parts without power, for low or unpitched notes (`f0_hz` 0), and for short ones.
    """
    shares = np.full(len(parts), np.nan)
    sustained = audio[round(_FROM_S * sample_rate) : round(_TO_S * sample_rate)]
    if f0_hz * N_FFT < _LOWEST_PERIODS * sample_rate or len(sustained) < N_FFT:
        return shares
    frames = np.lib.stride_tricks.sliding_window_view(sustained, N_FFT)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.blackman(N_FFT)))) / N_FFT
    place = np.fft.rfftfreq(N_FFT, 1 / sample_rate) / f0_hz % 1
    between = (place > _BETWEEN[0]) & (place < _BETWEEN[1])
    total = np.array([power[:, part].mean() if part.any() else 0.0 for part in parts])
    heard = total > max(_LEAST_POWER, total.max() * 10 ** (-_HEARD_DB / 10))
    for index in np.flatnonzero(heard & (parts & between).any(1)):
        noise = np.quantile(power[:, parts[index] & between], _QUARTILE) / _OF_MEAN
        shares[index] = np.clip(noise / total[index], _LEAST_SHARE, 1)
    return shares
