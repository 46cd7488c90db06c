"""Messages that wait for their time, earliest first."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, TypeVar

from cmaudio.errors import CmaudioError

T = TypeVar("T")
MAX_AHEAD_SECONDS = 60.0
MAX_MESSAGES = 10_000


class Schedule(Generic[T]):
    """A bounded queue; items with equal times keep their order. Belongs to one thread."""

    def __init__(self, limit: int = MAX_MESSAGES) -> None:
        self._limit = limit
        self._items: list[tuple[float, int, T]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._items)

    def add(self, now: float, due: float, item: T) -> None:
        """Keep an item until `due`, in seconds of the clock of `now`. Raises CmaudioError if it is too far ahead."""
        if due - now > MAX_AHEAD_SECONDS:
            raise CmaudioError(
                f"the time tag is {due - now:.0f} s ahead, more than {MAX_AHEAD_SECONDS:.0f} s; send it later"
            )
        if len(self._items) >= self._limit:
            raise CmaudioError(
                f"{self._limit} messages with later time tags are already waiting, the maximum; send it later"
            )
        heapq.heappush(self._items, (due, next(self._order), item))

    @property
    def next_due(self) -> float | None:
        return self._items[0][0] if self._items else None

    def pop(self) -> T:
        """The earliest item. Raises IndexError if there is none."""
        return heapq.heappop(self._items)[2]

    def clear(self) -> None:
        self._items.clear()
