"""Rate limits on incoming messages, so that a flood causes no dropouts.

Up to the rate of a human performer, everything passes. Above it, the latest value of each control passes slightly
later, and everything else is dropped. Under high load the limits are lower.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
BURST, PER_SECOND = 512, 1000.0
_LATEST_BURST, _LATEST_PER_SECOND, _LATEST_PER_SECOND_LOADED = 4, 60.0, 15.0
# Load thresholds for lower limits: controls first, since coarser control is less audible than missing notes.
_NOTES_LOAD, _LATEST_LOAD = 0.9, 0.6
_NOTES_PER_SECOND, _NOTES_PER_SECOND_LOADED = 50.0, 10.0


@dataclass
class Bucket:
    """A token bucket. Times are in seconds of any one clock."""

    capacity: float
    per_second: float
    _tokens: float = field(default=-1.0)
    _at: float = 0.0

    def take(self, now: float) -> bool:
        """Take a token if there is one."""
        self._fill(now)
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True

    def next_at(self, now: float) -> float:
        """When the next token is available."""
        self._fill(now)
        return now + max(0.0, 1 - self._tokens) / self.per_second

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        full = self._tokens < 0
        self._tokens = self.capacity if full else min(self.capacity, self._tokens + passed * self.per_second)
        self._at = now


class Flow(Generic[T]):
    """Rate limits for messages. Belongs to one thread.

    Args:
        execute: called with each item that passes, now or later.
        drop: called with each item that does not pass.
        polyphony: how many notes may start at once.
    """

    def __init__(self, execute: Callable[[T], object], drop: Callable[[T], object], polyphony: int) -> None:
        self._execute, self._drop = execute, drop
        self._each = Bucket(BURST, PER_SECOND)
        self._notes = Bucket(polyphony, _NOTES_PER_SECOND)
        self._latest: dict[Hashable, Bucket] = {}
        self._latest_per_second = _LATEST_PER_SECOND
        self._waiting: dict[Hashable, T] = {}

    def set_load(self, load: float) -> None:
        """Set the load of synthesis; 1 is all of the available time."""
        self._notes.per_second = _NOTES_PER_SECOND_LOADED if load > _NOTES_LOAD else _NOTES_PER_SECOND
        self._latest_per_second = _LATEST_PER_SECOND_LOADED if load > _LATEST_LOAD else _LATEST_PER_SECOND
        for bucket in self._latest.values():
            bucket.per_second = self._latest_per_second

    def offer(self, item: T, now: float, starts_note: bool = False) -> None:
        """Execute an item now, or drop it."""
        if self._each.take(now) and (not starts_note or self._notes.take(now)):
            self._execute(item)
        else:
            self._drop(item)

    def offer_latest(self, key: Hashable, item: T, now: float) -> None:
        """Execute an item now or later; it replaces a waiting one with the same `key`."""
        bucket = self._latest.get(key)
        if bucket is None:
            bucket = self._latest[key] = Bucket(_LATEST_BURST, self._latest_per_second)
        if key not in self._waiting and bucket.take(now):
            self._execute(item)
            return
        if key in self._waiting:
            self._drop(self._waiting[key])
        self._waiting[key] = item

    def release(self, now: float) -> float | None:
        """Execute what has waited long enough; returns when to call again, None if nothing waits."""
        for key in list(self._waiting):
            # An executed item may clear the others.
            if key in self._waiting and self._latest[key].take(now):
                self._execute(self._waiting.pop(key))
        return min((self._latest[key].next_at(now) for key in self._waiting), default=None)

    def clear(self) -> None:
        """Drop all waiting items."""
        self._waiting.clear()
