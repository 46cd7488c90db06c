"""Scheduled events: sent from any thread, run in order on the rendering thread."""

from __future__ import annotations

import heapq
import itertools
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

Action = Callable[[int], None]


@dataclass(order=True)
class _Scheduled:
    at: int
    order: int
    action: Action = field(compare=False)


class Schedule:
    """A queue of actions by time in samples; those with the same time keep the order in which they were sent."""

    def __init__(self) -> None:
        self._inbox: deque[tuple[int | None, Action]] = deque()  # append is atomic, so senders need no lock
        self._heap: list[_Scheduled] = []
        self._order = itertools.count()
        self._running = 0  # order number of the running action
        self.now = 0  # sample of the engine's clock that is read next

    def __bool__(self) -> bool:
        return bool(self._heap or self._inbox)

    def submit(self, at: int | None, action: Action) -> None:
        """Schedule a call of `action(time)`; `at` None means as soon as possible. From any thread."""
        self._inbox.append((at, action))

    def receive(self, earliest: int) -> None:
        """Sort in the received actions; late ones are due at `earliest`."""
        while self._inbox:
            at, action = self._inbox.popleft()
            time = earliest if at is None else max(at, earliest)
            heapq.heappush(self._heap, _Scheduled(time, next(self._order), action))

    def run_next(self) -> None:
        """Call the next action."""
        event = heapq.heappop(self._heap)
        self._running = event.order
        event.action(event.at)

    def next_at(self) -> int | None:
        """Time of the next action, None if there is none."""
        return self._heap[0].at if self._heap else None

    def drop_earlier(self) -> None:
        """Called by an action: drop all pending actions that were sent before this one."""
        self._heap = [event for event in self._heap if event.order > self._running]
        heapq.heapify(self._heap)
