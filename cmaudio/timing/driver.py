"""Drivers that advance a clock: live, a thread that stays ahead of the engine; offline, the engine's own events.

Either way the clock is called with the sample up to which everything must be scheduled. The timing of the call does not
affect the sample of any event.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol

from cmaudio.engine.engine import Engine
from cmaudio.timing.steps import HUMANISE_MAX_MS

Advance = Callable[[int], bool]
_SLACK_SECONDS = 0.05  # how late the thread may run before an event is late
_LOOK_EVERY_SECONDS = 0.01
_SOON_SECONDS = 0.02
_TICK_SAMPLES = 1024


class Driver(Protocol):
    """Advances a clock. `soon()` is the first sample at which something requested now can happen."""

    def begin(self, advance: Advance) -> None: ...
    def soon(self) -> int: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...


class WithinEngine:
    """Each tick is an event of the engine that submits the next: ticks do not depend on the sizes of `engine.read`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._next = -1  # sample of the last tick submitted
        self._spare_samples = round(HUMANISE_MAX_MS / 1000 * engine.sample_rate)

    def begin(self, advance: Advance) -> None:
        """Call `advance(until)` from now on; it returns whether there is more to come."""
        self._advance = advance

    def soon(self) -> int:
        """The next sample."""
        return self._engine.now

    def wake(self) -> None:
        """Advance now, perhaps before the next tick."""
        self._engine.submit(None, self._tick)

    def close(self) -> None:
        """There is nothing to end."""

    def _tick(self, at: int) -> None:
        if at < self._next:  # the next tick has been submitted, unless a panic dropped it
            self._advance(self._next + self._spare_samples)
            self._engine.submit(self._next + 1, self._make_up)
        elif self._advance(at + _TICK_SAMPLES + self._spare_samples):
            self._next = at + _TICK_SAMPLES
            self._engine.submit(self._next, self._tick)

    def _make_up(self, at: int) -> None:
        if at > self._next:
            self._tick(at)


class Ahead:
    """A thread that stays ahead of the engine by the engine's own horizon and a margin."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        rate = engine.sample_rate
        self._ahead_samples = engine.horizon_samples + round((_SLACK_SECONDS + HUMANISE_MAX_MS / 1000) * rate)
        self._soon_samples = round(_SOON_SECONDS * rate)
        self._wake, self._closed = threading.Event(), False

    def begin(self, advance: Advance) -> None:
        """Call `advance(until)` from now on; it returns whether there is more to come."""
        self._advance = advance
        self._thread = threading.Thread(target=self._run, name="cmaudio-clock", daemon=True)
        self._thread.start()

    def soon(self) -> int:
        """A few periods of the sound card ahead of the engine."""
        return self._engine.now + self._soon_samples

    def wake(self) -> None:
        """Advance now."""
        self._wake.set()

    def close(self) -> None:
        """End the thread."""
        self._closed = True
        self._wake.set()
        if self._thread is not threading.current_thread():
            self._thread.join(1)

    def _run(self) -> None:
        while not self._closed:
            self._wake.clear()
            until = self._engine.now + self._ahead_samples
            more = self._engine.faults.attempt("the clock missed something, and goes on", self._advance, until)
            self._wake.wait(None if more is False else _LOOK_EVERY_SECONDS)
