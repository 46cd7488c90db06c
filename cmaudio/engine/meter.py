"""A meter of peak level and stereo correlation, and the engine's state for display."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from cmaudio.signal.dsp import Float

_SILENCE = 1e-6
_QUIET_POWER = 1e-12


@dataclass(frozen=True)
class EngineState:
    """A snapshot for meters. `peak_db` is the peak level since the state was last read.

    `voices` sound, of at most `limit`: the polyphony, or fewer under overload. `stolen` counts notes that were cut off
    while held to make room for others. `sides_db` are the peaks of left and right, and `correlation` is theirs: -1..1,
    1 for mono.
    """

    seconds: float
    voices: int
    limit: int
    peak_db: float
    reduction_db: float
    sides_db: tuple[float, ...] = ()
    correlation: float = 1.0
    stolen: int = 0


class Meter:
    """Measures the samples since its values were last taken."""

    def __init__(self, channels: int) -> None:
        self._channels = channels
        self._clear()

    def _clear(self) -> None:
        self._peaks = np.zeros(self._channels, np.float32)
        self._products = np.zeros((self._channels, self._channels))

    def add(self, samples: Float) -> None:
        """Samples (N,) or (N, 2)."""
        if not len(samples):
            return
        self._peaks = np.maximum(self._peaks, np.abs(samples).max(0))
        if self._channels > 1:
            self._products += samples.T @ samples

    def take(self) -> tuple[tuple[float, ...], float]:
        """Peaks in dB re full scale, and correlation of left and right (1 for silence), since the last call."""
        peaks, products = self._peaks, self._products
        self._clear()
        power = math.sqrt(products[0, 0] * products[-1, -1])
        correlation = products[0, -1] / power if power > _QUIET_POWER else 1.0
        return tuple(20 * math.log10(max(peak, _SILENCE)) for peak in peaks.tolist()), float(correlation)
