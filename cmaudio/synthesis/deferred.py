"""Work that is deferred until its result is needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Pending(Protocol):
    """Work in progress or deferred; `result` returns when it is done, and raises its error."""

    def result(self) -> None: ...


class Deferred:
    """Work that is done once, on the thread that first calls `result`."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work

    def result(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()
