"""Which sample is heard at a given time: the sound card's clock, observed through its periodic callbacks.

A delay-locked loop smooths the observations (Adriaensen 2005, "Using a DLL to filter time", Linux Audio Conference).
The same loop follows the pulses of a MIDI clock.
"""

from __future__ import annotations

import math

_BANDWIDTH_HZ = 0.3
_LOST_SECONDS = 0.05  # a larger error means that the card stopped, had an underrun or changed: restart
_RATE_TOLERANCE = 0.01
_LEARNT_POINTS = 4  # with fewer, the next one cannot be an outlier


class LockedLine:
    """A straight line through points (x, y) that arrive one by one with jitter: a delay-locked loop.

    Args:
        rate: expected slope of y over x; the slope stays within `rate_range`.
        bandwidth: bandwidth of the loop, in cycles per unit of x.
        lost: a point with a larger error restarts the line.
        learns: the rate is not known in advance. The first points then count as in a least-squares line, up
            to as many as the loop remembers (an expanding-memory filter, Morrison 1969), and a restart keeps the rate.

    `update` belongs to one thread, `at` may be called from any.
    """

    def __init__(
        self, rate: float, *, bandwidth: float, lost: float, rate_range: tuple[float, float], learns: bool = False
    ) -> None:
        self._expected_rate, self._bandwidth, self._lost = rate, bandwidth, lost
        self._rate_range, self._learns = rate_range, learns
        self.points = 0  # since the line was started
        self._line: tuple[float, float, float] | None = None  # x, y there, rate

    @property
    def rate(self) -> float:
        """The current slope of y over x."""
        return self._expected_rate if self._line is None else self._line[2]

    def begin(self, x: float, y: float, rate: float | None = None) -> None:
        """Restart at this point, by default at the expected rate."""
        self._line, self.points = (x, y, self._expected_rate if rate is None else rate), 1

    def update(self, x: float, y: float) -> None:
        """Add a point."""
        if self._line is None:
            self.begin(x, y)
            return
        before, known, rate = self._line
        passed = x - before
        if passed <= 0:
            return
        expected = known + rate * passed
        error = y - expected
        if abs(error) > self._lost and not (self._learns and self.points < _LEARNT_POINTS):
            self.begin(x, y, rate if self._learns else None)
            return
        self.points += 1
        near, fast = self._gains(passed)
        low, high = self._rate_range
        self._line = (x, expected + near * error, min(high, max(low, rate + fast * error / passed)))

    def _gains(self, passed: float) -> tuple[float, float]:
        """The fractions of an error that correct the line and its rate."""
        omega = min(0.5, 2 * math.pi * self._bandwidth * passed)
        near, fast = math.sqrt(2) * omega, omega * omega
        if self._learns:
            n = self.points
            near, fast = max(near, 2 * (2 * n - 1) / (n * (n + 1))), max(fast, 6 / (n * (n + 1)))
        return near, fast

    def at(self, x: float) -> float:
        """The value of the line at `x`; 0 before the first point."""
        if self._line is None:
            return 0.0
        known_at, known, rate = self._line
        return known + rate * (x - known_at)

    def where(self, y: float) -> float | None:
        """The `x` at which the line reaches `y`; None before the first point."""
        if self._line is None:
            return None
        known_at, known, rate = self._line
        return known_at + (y - known) / rate


class SampleClock(LockedLine):
    """How many samples have been heard (y) by a time (x, of `time.perf_counter`), from occasional observations."""

    def __init__(self, sample_rate: float) -> None:
        tolerated = (sample_rate * (1 - _RATE_TOLERANCE), sample_rate * (1 + _RATE_TOLERANCE))
        lost = _LOST_SECONDS * sample_rate
        super().__init__(sample_rate, bandwidth=_BANDWIDTH_HZ, lost=lost, rate_range=tolerated)
        self.sample_rate = sample_rate
