"""A control value over time. Times are samples of the voice's own clock, 0 = its onset."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmaudio.signal.dsp import Float


class Trajectory:
    """A value (scalar or vector) over time, piecewise linear, known up to its last breakpoint and constant after it."""

    def __init__(self, value: ArrayLike) -> None:
        self._begin(np.asarray(value, np.float64))

    def _begin(self, value: NDArray[np.float64]) -> None:
        self._times: list[float] = [0.0]
        self._values = [value]
        self._rest = 0.0 if value.ndim else float(value)  # a voice reads it a thousand times per block

    @property
    def target(self) -> NDArray[np.float64]:
        """The final value."""
        return self._values[-1]

    @property
    def constant(self) -> bool:
        """Whether it has never moved."""
        return len(self._times) == 1

    def rests_at(self, time: float) -> bool:
        """Whether the value is constant from `time` on."""
        return len(self._times) == 1 or self._times[-1] <= time

    def widen(self, size: int) -> None:
        """Pad a vector with zeros to at least this size."""
        if len(self._values[-1]) < size:
            self._values = [np.concatenate([value, np.zeros(size - len(value))]) for value in self._values]

    def move(self, at: float, value: ArrayLike, over: float) -> None:
        """Move to `value` within `over` samples, starting at `at`; breakpoints after `at` are dropped.

        If two vectors differ in length, the shorter one is padded with zeros.
        """
        value = np.asarray(value, np.float64)
        if value.ndim and value.shape != self.target.shape:
            self.widen(len(value))
            value = np.pad(value, (0, len(self.target) - len(value)))
        start = self.plain(np.array([at]))[0]
        keep = bisect_left(self._times, at)
        self._times[keep:] = [at, at + max(over, 1.0)]
        self._values[keep:] = [start, value]
        self._rest = 0.0 if value.ndim else float(value)

    def begin_or_move(self, at: float, value: ArrayLike, over: float) -> None:
        """Like `move`, but a value set at the onset is the initial value: a ramp to it could click."""
        if at <= 0 and over <= 0:
            self._begin(np.asarray(value, np.float64))
        else:
            self.move(at, value, over)

    def forget_before(self, time: float) -> None:
        """Drop breakpoints that are no longer needed, so that they do not accumulate over hours of bends."""
        count = max(0, min(bisect_left(self._times, time) - 1, len(self._times) - 2))
        del self._times[:count], self._values[:count]

    def at(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """(N,) times -> (N, *value shape)."""
        return self.plain(times)

    def plain(self, times: NDArray[np.float64]) -> NDArray[np.float64]:
        """The same without modulation (`cmaudio.synthesis.modulated`)."""
        if len(self._times) == 1 or not len(times):
            return np.full((len(times), *self._values[0].shape), self._values[0])
        # Only the segments that are needed: a moving wheel leaves hundreds.
        first = max(0, bisect_right(self._times, times.min()) - 1)
        last = max(first + 2, bisect_right(self._times, times.max()) + 1)
        first = min(first, len(self._times) - 2)
        known = np.array(self._times[first:last])
        right = np.clip(np.searchsorted(known, times, side="right"), 1, len(known) - 1)
        left = right - 1
        span = known[right] - known[left]
        weight = np.clip((times - known[left]) / span, 0, 1)
        values = np.stack(self._values[first:last])
        weight = weight.reshape(-1, *([1] * (values.ndim - 1)))
        return values[left] + weight * (values[right] - values[left])

    def over(self, start: int, samples: int) -> Float | float:
        """A scalar over (N,) samples from `start` on; a number if constant."""
        if self.rests_at(start):
            return self._rest
        return self.at(np.arange(start, start + samples, dtype=np.float64)).astype(np.float32)


def rows(trajectories: Sequence[Trajectory], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Values (B, K, *value shape) of B trajectories, each at its own times, a row of (B, K)."""
    if all(trajectory.constant for trajectory in trajectories):
        return np.repeat(np.array([trajectory.target for trajectory in trajectories])[:, None], times.shape[1], axis=1)
    return np.stack([trajectory.at(row) for trajectory, row in zip(trajectories, times, strict=True)])
