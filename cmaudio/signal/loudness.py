"""Integrated loudness: ITU-R BS.1770-4, with its filter applied in the frequency domain.

Shapes: N samples, C channels, all of weight 1 (left, right and mono).
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

BLOCK_SECONDS = 0.4
SILENT_LUFS = -70.0  # the absolute gate: nothing quieter is measured
_STEP_SHARE, _RELATIVE_GATE_LU, _OFFSET_DB = 0.25, -10.0, -0.691
# Second-order sections as (gain dB, Q, Hz), from which the coefficients at 48 kHz in the recommendation follow.
_SHELF_DB, _SHELF_Q, _SHELF_HZ = 3.99984385397, 0.7071752369554193, 1681.9744509555319
_HIGH_PASS_Q, _HIGH_PASS_HZ = 0.5003270373253953, 38.13547087613982


def loudness_lufs(samples: Float, sample_rate: int) -> float:
    """The loudness of samples (N,) or (N, C) in LUFS, -inf for what is silent.

    A sound shorter than a block of 0.4 s counts as one block of its own length.
    """
    if len(samples) == 0:
        return -np.inf
    channels = np.asarray(samples, np.float64).reshape(len(samples), -1)
    block = min(len(channels), round(BLOCK_SECONDS * sample_rate))
    power = np.square(_weighted(channels, sample_rate)).sum(1)
    step = max(1, round(_STEP_SHARE * block))
    means = sliding_window_view(power, block)[::step].mean(1)
    gated = means[means > _power(SILENT_LUFS)]
    if len(gated):
        gated = gated[gated > gated.mean() * 10 ** (_RELATIVE_GATE_LU / 10)]
    return _OFFSET_DB + 10 * float(np.log10(gated.mean())) if len(gated) else -np.inf


def _power(lufs: float) -> float:
    return float(10 ** ((lufs - _OFFSET_DB) / 10))


def _weighted(channels: NDArray[np.float64], sample_rate: int) -> NDArray[np.float64]:
    """K-weighted samples (N, C)."""
    length = 1 << (len(channels) + sample_rate - 1).bit_length()  # room for the filter to ring out
    z = np.exp(-2j * np.pi * np.fft.rfftfreq(length))
    powers = np.stack([np.ones_like(z), z, z * z])
    response = np.ones_like(z)
    for section in weighting_sections(sample_rate):
        response *= (section[:3] @ powers) / (section[3:] @ powers)
    return np.fft.irfft(np.fft.rfft(channels, length, axis=0) * response[:, None], length, axis=0)[: len(channels)]


def weighting_sections(sample_rate: int) -> NDArray[np.float64]:
    """(2, 6) the K-weighting as second-order sections b0 b1 b2 1 a1 a2: a shelf, and a high-pass."""
    k = np.tan(np.pi * _SHELF_HZ / sample_rate)
    high = 10 ** (_SHELF_DB / 20)
    band = high**0.4996667741545416
    above = [high + band * k / _SHELF_Q + k * k, 2 * (k * k - high), high - band * k / _SHELF_Q + k * k]
    below = [1 + k / _SHELF_Q + k * k, 2 * (k * k - 1), 1 - k / _SHELF_Q + k * k]
    shelf = np.array([*above, *below]) / below[0]
    k = np.tan(np.pi * _HIGH_PASS_HZ / sample_rate)
    scale = 1 + k / _HIGH_PASS_Q + k * k
    poles = np.array([scale, 2 * (k * k - 1), 1 - k / _HIGH_PASS_Q + k * k]) / scale
    return np.stack([shelf, [1, -2, 1, *poles]])  # the recommendation leaves the numerator unscaled
