"""Work that is put off until its result is wanted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Pending(Protocol):
    """Work under way or put off; `result` returns when it is done, and raises what went wrong with it."""

    def result(self) -> None: ...


class Deferred:
    """Work that is done once, by the first caller of `result`, on that thread."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work

    def result(self) -> None:
        work, self._work = self._work, None
        if work is not None:
            work()
