"""Listeners that are notified of what the engine plays."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from cmaudio.callbacks import Subscribers
from cmaudio.faults import Faults
from cmaudio.score.events import Event

ORIGIN: ContextVar[str] = ContextVar("origin", default="")  # source of the events the current thread submits


class Listeners(Subscribers[[int, Event]]):
    """Functions that are called with the sample of the engine's clock at which an event happens, and the event.

    They are called on the rendering thread, which must not block: they should only append to a queue.

    Args:
        faults: receives the errors of the functions.

    Attributes:
        origin: source of the present event, such as "midi"; empty for most.
    """

    def __init__(self, faults: Faults) -> None:
        super().__init__()
        self._faults = faults
        self.origin = ""

    def act(self, origin: str, action: Callable[[int], None], at: int) -> None:
        """Call `action(at)`, whose events come from `origin`."""
        self.origin = origin
        try:
            action(at)
        finally:
            self.origin = ""

    def notify(self, at: int, event: Event) -> None:
        """Call all functions; their errors are faults."""
        for function in self._functions:
            self._faults.attempt("an event was not passed on", function, at, event)
