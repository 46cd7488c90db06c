"""Which sample is heard at a moment: the sound card's clock, seen through callbacks that take a period at a time.

A delay-locked loop smooths what is seen (Adriaensen 2005, "Using a DLL to filter time", Linux Audio Conference).
"""

from __future__ import annotations

import math

_BANDWIDTH_HZ = 0.3
_LOST_SECONDS = 0.05  # off by more, the card has stopped, starved or changed: begin anew
_RATE_TOLERANCE = 0.01


class SampleClock:
    """Told now and then how many samples were heard, it says how many are heard at any moment near then.

    `update` belongs to one thread, `at` may be called from any.
    """

    def __init__(self, sample_rate: float) -> None:
        self.sample_rate = sample_rate
        self._line: tuple[float, float, float] | None = None  # seconds, samples then, samples a second

    def update(self, seconds: float, samples: float) -> None:
        """At `seconds` (of `time.perf_counter`) so many samples had been heard."""
        if self._line is None:
            self._line = (seconds, samples, self.sample_rate)
            return
        before, known, rate = self._line
        passed = seconds - before
        if passed <= 0:
            return
        expected = known + rate * passed
        error = samples - expected
        if abs(error) > _LOST_SECONDS * self.sample_rate:
            self._line = (seconds, samples, self.sample_rate)
            return
        omega = min(0.5, 2 * math.pi * _BANDWIDTH_HZ * passed)
        rate += omega * omega * error / passed
        most = _RATE_TOLERANCE * self.sample_rate
        rate = min(self.sample_rate + most, max(self.sample_rate - most, rate))
        self._line = (seconds, expected + math.sqrt(2) * omega * error, rate)

    def at(self, seconds: float) -> float:
        """How many samples have been heard at `seconds`; 0 before the first update."""
        if self._line is None:
            return 0.0
        known_at, samples, rate = self._line
        return samples + rate * (seconds - known_at)
