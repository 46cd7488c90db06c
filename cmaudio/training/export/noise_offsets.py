"""By how much more noise a timbre has between its partials than the vocoder gives it.

A vocoder hears only a mel spectrum, in which a breathy flute and a pure tone are alike wherever a band contains several
partials. So the power half way between the partials is compared, as a share of the power of a part of the spectrum.

Shapes: N samples, T frames, F bins, P parts of the spectrum; K keys, V velocities.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.signal.dsp import Float, Mel
from cmaudio.training.export.key_grid import Array, KeyGrid, KeyPull, regressed
from cmaudio.training.export.spectrum_parts import PARTS, bins_of_parts

_FROM_S, _TO_S = 0.25, 1.0
_N_FFT, _HOP = 8192, 4096
_LOWEST_F0_HZ = 70.0  # below, the window does not resolve the partials
_BETWEEN = (0.35, 0.65)  # of the way from one partial to the next
# The lower quartile of noise, relative to its mean: partials of another series in between are not counted.
_QUARTILE = 0.25
_OF_MEAN = -np.log(1 - _QUARTILE)
_HEARD_DB, _LEAST_POWER = 60.0, 1e-10  # below the loudest part; per sample and bin
_LEAST_SHARE, _MOST_SHARE = 1e-9, 1.0
_MOST_DB = 30.0
_PULL = KeyPull(same_keys=0.5, same_velocities=2.0, prior=0.1)


def noise_shares(audio: Float, f0_hz: float, mel: Mel) -> Array:
    """(P,) share of noise in the power of a held note (N,), from its onset on; NaN where it cannot be told."""
    start, end = (round(seconds * mel.sample_rate) for seconds in (_FROM_S, _TO_S))
    sustained = audio[start:end]
    if f0_hz < _LOWEST_F0_HZ or len(sustained) < _N_FFT:
        return np.full(PARTS, np.nan)
    frames = np.lib.stride_tricks.sliding_window_view(sustained, _N_FFT)[::_HOP]
    power = np.square(np.abs(np.fft.rfft(frames * np.blackman(_N_FFT)))) / _N_FFT
    place = np.linspace(0, mel.sample_rate / 2, power.shape[1]) / f0_hz % 1
    between = (place > _BETWEEN[0]) & (place < _BETWEEN[1])
    parts = bins_of_parts(mel, _N_FFT) > 0
    total = np.array([power[:, part].mean() if part.any() else 0.0 for part in parts.T])
    heard = total > max(_LEAST_POWER, total.max() * 10 ** (-_HEARD_DB / 10))
    shares = np.full(PARTS, np.nan)
    for index in np.flatnonzero(heard & (parts & between[:, None]).any(0)):
        noise = np.quantile(power[:, parts[:, index] & between], _QUARTILE) / _OF_MEAN
        shares[index] = np.clip(noise / total[index], _LEAST_SHARE, _MOST_SHARE)
    return shares


def noise_offsets(grid: KeyGrid, places: Array, recorded: Sequence[Array], made: Sequence[Array]) -> Array:
    """(K, P) dB to add to the noise of each key of a timbre; 0 where nothing is known.

    Args:
        grid: of the timbre.
        places: (N, 2) pitch and velocity of each note.
        recorded: (P,) share of noise in each recorded note.
        made: the same as played.
    """
    off = 10 * np.log10(np.stack(recorded) / np.stack(made))
    known = np.isfinite(off)
    off = np.clip(np.where(known, off, 0.0), -_MOST_DB, _MOST_DB)
    values = regressed(grid.shares(*places.T), off, known.astype(np.float64), grid.pull(_PULL))
    return np.asarray(values.reshape(*grid.shape, PARTS).mean(1))
