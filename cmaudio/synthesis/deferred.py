"""Work that is deferred until its result is needed, for example the vocoder of a block that is not due yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Pending(Protocol):
    """Work in progress or deferred; `result` returns when it is done, and raises its error."""

    def result(self) -> None: ...


class Deferred:
    """Work that is done once, on the thread that first calls `result`; its error is raised by every call."""

    def __init__(self, work: Callable[[], None]) -> None:
        self._work: Callable[[], None] | None = work
        self._error: BaseException | None = None

    def result(self) -> None:
        if self._error is not None:
            raise self._error
        work, self._work = self._work, None
        if work is not None:
            try:
                work()
            except BaseException as error:
                self._error = error
                raise
