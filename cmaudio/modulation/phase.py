"""A phase with a variable rate: cycles of an oscillator, or beats, as a function of the sample.

Each value is computed from the last change and never accumulated, so it depends on the sample alone.
"""

from __future__ import annotations

import threading
from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

_KEPT = 64  # changes; MIDI clock makes 50 per second


class Phase:
    """Starts with 0 at sample 0. Methods may be called from any thread.

    Args:
        sample_rate: Hz.
        rate: cycles per second.
    """

    def __init__(self, sample_rate: int, rate: float) -> None:
        self._sample_rate = sample_rate
        self._lock = threading.Lock()
        self._changes: tuple[tuple[float, float, float], ...] = ((0.0, 0.0, rate / sample_rate),)

    def set_rate(self, rate: float, at: float) -> None:
        """Continue at another rate, in cycles per second, from a sample on; changes scheduled for later are dropped."""
        with self._lock:
            kept, cycles = self._until(at)
            self._changes = (*kept, (at, cycles, rate / self._sample_rate))

    def jump(self, cycles: float, at: float) -> None:
        """Set the phase, in cycles, at a sample; the rate there stays."""
        with self._lock:
            kept, _ = self._until(at)
            rate = kept[-1][2] if kept else self._changes[0][2]
            self._changes = (*kept, (at, cycles, rate))

    def at(self, samples: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) cycles at samples (N,)."""
        changes = self._changes
        if len(changes) == 1 or not len(samples) or samples[0] >= changes[-1][0]:  # samples are ascending
            start, cycles, rate = changes[-1]
            return cycles + (samples - start) * rate
        starts, cycles_at, rates = np.array(changes).T
        index = np.maximum(np.searchsorted(starts, samples, side="right") - 1, 0)
        return np.asarray(cycles_at[index] + (samples - starts[index]) * rates[index])

    def _until(self, at: float) -> tuple[tuple[tuple[float, float, float], ...], float]:
        """The changes before a sample, and the phase there."""
        count = bisect_right(self._changes, at, key=lambda change: change[0])
        start, cycles, rate = self._changes[max(0, count - 1)]
        kept = self._changes[max(0, count - _KEPT) : count]
        return tuple(change for change in kept if change[0] < at), cycles + (at - start) * rate
