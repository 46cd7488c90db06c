"""Excitations whose partials are not the harmonics of f0, each as strong as a harmonic of `pulse_train`.

Shapes: N samples, P partials. Phases are in cycles of f0 and unwrapped, so that a partial at any ratio of f0 is
continuous, and all excitations of a voice share one phase.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import PULSE_SCALE, VOICED_ABOVE_HZ, Float, pulses

MOST_STRETCHED = 128
_HIGHEST = 0.49  # of the sample rate, as in `pulse_train`
_PIECE = 512  # samples per check of f0, which moves in only a few of them
_FINE = 64


def stretched_ratios(b: float, count: int = MOST_STRETCHED) -> NDArray[np.float64]:
    """(P,) ratios k sqrt(1 + B k^2) / sqrt(1 + B) of a stiff string, the first partial at f0 itself."""
    k = np.arange(1, count + 1, dtype=np.float64)
    return k * np.sqrt((1 + b * k * k) / (1 + b))


def lower_pulses(cycles: NDArray[np.float64], f0: NDArray[np.float64], divisor: int, sample_rate: int) -> Float:
    """(N,) pulse train at f0 / divisor, from the phase (N,) of f0."""
    lower = cycles / divisor
    return pulses(lower - np.floor(lower), f0 / divisor, sample_rate)


def partial_sum(
    cycles: NDArray[np.float64], f0: NDArray[np.float64], ratios: NDArray[np.float64], sample_rate: int
) -> Float:
    """(N,) sum of the partials at these ratios (P,) of f0.

    Args:
        cycles: (N,) phase of f0 after each sample.
        f0: (N,) Hz; silent where at most 8 Hz. Partials above 0.49 of the sample rate are omitted.
        ratios: (P,).
        sample_rate: Hz.

    While f0 is steady, a partial is a product of a slow and a fast rotation, so the sum is a small matrix product.
    """
    out = np.zeros(len(f0), np.float32)
    audible = ratios[ratios * f0.max(initial=0.0) < _HIGHEST * sample_rate]
    if not len(audible) or f0.max() <= VOICED_ABOVE_HZ:
        return out
    length = len(f0) if f0.min() == f0.max() else _PIECE
    for start in range(0, len(f0), length):
        part = slice(start, start + length)
        steady = f0[part].min() == f0[part].max()
        total = _steady if steady else _gliding
        out[part] = total(cycles[part], float(f0[start]) / sample_rate, audible)
    out[f0 <= VOICED_ABOVE_HZ] = 0
    return out * np.float32(PULSE_SCALE)


def _steady(cycles: NDArray[np.float64], step: float, ratios: NDArray[np.float64]) -> Float:
    """Samples in rows of 64: cos(a + b) = cos a cos b - sin a sin b, a at the rows' starts, b inside them."""
    slow, fast = _radians(ratios, cycles[::_FINE]), _radians(ratios, step * np.arange(_FINE, dtype=np.float64))
    total = np.cos(slow).T @ np.cos(fast) - np.sin(slow).T @ np.sin(fast)
    return total.reshape(-1)[: len(cycles)].astype(np.float32, copy=False)


def _gliding(cycles: NDArray[np.float64], step: float, ratios: NDArray[np.float64]) -> Float:
    start = _radians(ratios, cycles[:1])
    since = (cycles - cycles[0]).astype(np.float32) * (2 * np.pi * ratios[:, None]).astype(np.float32)
    return np.cos(start + since).sum(0)


def _radians(ratios: NDArray[np.float64], cycles: NDArray[np.float64]) -> Float:
    """(P, N) phases of the partials, wrapped in double precision."""
    turns = ratios[:, None] * cycles
    return ((turns - np.floor(turns)) * (2 * np.pi)).astype(np.float32)
