"""Notices while playing: each one once, and counts of ignored messages at a limited rate."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable

from cmaudio.callbacks import call_guarded

_EVERY_SECONDS = 10.0
_REMEMBERED = 256


class Notices:
    """Calls `on_notice`, whose own errors are reported and ignored. Thread-safe.

    Attributes:
        recent: the last notices.
    """

    def __init__(self, on_notice: Callable[[str], None] | None, every_seconds: float = _EVERY_SECONDS) -> None:
        self._on_notice, self._every = on_notice, every_seconds
        self.recent: deque[str] = deque(maxlen=16)
        self._given: set[str] = set()
        self._counts: Counter[str] = Counter()
        self._reported = -every_seconds
        self._lock = threading.Lock()

    def tell(self, text: str) -> None:
        """Give a notice now."""
        self.recent.append(text)
        if self._on_notice is not None:
            call_guarded(self._on_notice, text)

    def once(self, text: str) -> None:
        """Give a notice unless it was given before."""
        with self._lock:
            new = text not in self._given and len(self._given) < _REMEMBERED
            self._given.add(text) if new else None
        if new:
            self.tell(text)

    def count(self, what: str, number: int = 1) -> None:
        """Add to a count that `report` delivers."""
        if number:
            with self._lock:
                self._counts[what] += number

    def report(self, now: float) -> None:
        """Give a notice of the counts, if there are any and the last report is long enough ago; `now` in seconds."""
        if not self._counts or now - self._reported < self._every:
            return
        with self._lock:
            counts, self._counts, self._reported = self._counts, Counter(), now
        self.tell("MIDI: " + ", ".join(f"{number} {what}" for what, number in counts.items()))
