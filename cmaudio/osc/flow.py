"""How much of what arrives reaches the engine, so that a flood of messages costs no sound.

What a performer can send passes as it comes. Past that, of a control the latest value is followed some time later, and
everything else is left out. A machine that is short of time follows less.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

T = TypeVar("T")
BURST, PER_SECOND = 512, 1000.0
_LATEST_BURST, _LATEST_PER_SECOND, _LATEST_PER_SECOND_SHORT = 4, 60.0, 15.0
_STRIKES_LOAD, _LATEST_LOAD = 0.9, 0.6  # above which less is followed; coarser moves are missed less than notes
_STRIKES_PER_SECOND, _STRIKES_PER_SECOND_SHORT = 50.0, 10.0


@dataclass
class Bucket:
    """Tokens that come back at a rate (token bucket). Times are in seconds of one clock."""

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
        """When there is a token."""
        self._fill(now)
        return now + max(0.0, 1 - self._tokens) / self.per_second

    def _fill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        full = self._tokens < 0
        self._tokens = self.capacity if full else min(self.capacity, self._tokens + passed * self.per_second)
        self._at = now


class Flow(Generic[T]):
    """Calls `act(item)` for what passes, now or later, and `leave_out(item)` for what does not.

    polyphony: as many notes may begin at once. Belongs to one thread.
    """

    def __init__(self, act: Callable[[T], object], leave_out: Callable[[T], object], polyphony: int) -> None:
        self._act, self._leave_out = act, leave_out
        self._each = Bucket(BURST, PER_SECOND)
        self._strikes = Bucket(polyphony, _STRIKES_PER_SECOND)
        self._latest: dict[Hashable, Bucket] = {}
        self._latest_per_second = _LATEST_PER_SECOND
        self._waiting: dict[Hashable, T] = {}

    def set_load(self, load: float) -> None:
        """How much of its time synthesis takes, 1 is all."""
        self._strikes.per_second = _STRIKES_PER_SECOND_SHORT if load > _STRIKES_LOAD else _STRIKES_PER_SECOND
        self._latest_per_second = _LATEST_PER_SECOND_SHORT if load > _LATEST_LOAD else _LATEST_PER_SECOND
        for bucket in self._latest.values():
            bucket.per_second = self._latest_per_second

    def offer(self, item: T, now: float, strike: bool = False) -> None:
        """Something that passes or is left out."""
        if self._each.take(now) and (not strike or self._strikes.take(now)):
            self._act(item)
        else:
            self._leave_out(item)

    def offer_latest(self, key: Hashable, item: T, now: float) -> None:
        """Something of which only the latest of the same `key` matters."""
        bucket = self._latest.get(key)
        if bucket is None:
            bucket = self._latest[key] = Bucket(_LATEST_BURST, self._latest_per_second)
        if key not in self._waiting and bucket.take(now):
            self._act(item)
            return
        if key in self._waiting:
            self._leave_out(self._waiting[key])
        self._waiting[key] = item

    def release(self, now: float) -> float | None:
        """Let pass what has waited long enough; returns when to call again, None if nothing waits."""
        for key in list(self._waiting):
            # What passes may make others be forgotten.
            if key in self._waiting and self._latest[key].take(now):
                self._act(self._waiting.pop(key))
        return min((self._latest[key].next_at(now) for key in self._waiting), default=None)

    def forget(self) -> None:
        """Drop what waits."""
        self._waiting.clear()
