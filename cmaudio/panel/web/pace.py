"""Rate limits, so that no page, or flood of pages, overloads the server or the instrument."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Pace:
    """Delays whatever comes faster than `per_second`, after a burst (generic cell rate algorithm, ITU-T I.371)."""

    def __init__(self, per_second: float, burst: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval_s, self._clock = 1 / per_second, clock
        self._burst_s = burst * self._interval_s
        self._due_s = clock()

    def delay_s(self) -> float:
        """Seconds to wait before the next item."""
        now = self._clock()
        self._due_s = max(self._due_s, now - self._burst_s) + self._interval_s
        return max(0.0, self._due_s - now)


class SocketCount:
    """Counts open sockets, at most `limit`."""

    def __init__(self, limit: int) -> None:
        self._limit, self._open = limit, 0

    @contextmanager
    def one_more(self) -> Iterator[bool]:
        """Yields whether there is room for another."""
        allowed = self._open < self._limit
        self._open += allowed
        try:
            yield allowed
        finally:
            self._open -= allowed
