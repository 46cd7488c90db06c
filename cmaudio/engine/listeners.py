"""Listeners that are notified of what the engine plays."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar

from cmaudio.faults import Faults
from cmaudio.score.events import Event

Listener = Callable[[int, Event], object]
ORIGIN: ContextVar[str] = ContextVar("origin", default="")  # source of the events the current thread submits


class Listeners:
    """Functions that are called with each event and the sample of the engine's clock at which it happens.

    They are called on the rendering thread, which must not block: they should only append to a queue.

    Args:
        faults: receives the errors of the functions.

    Attributes:
        origin: source of the present event, such as "midi"; empty for most.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._listeners: tuple[Listener, ...] = ()
        self.origin = ""

    def act(self, origin: str, action: Callable[[int], None], at: int) -> None:
        """Call `action(at)`, whose events come from `origin`."""
        self.origin = origin
        try:
            action(at)
        finally:
            self.origin = ""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; returns the function that removes it."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def tell(self, at: int, event: Event) -> None:
        """Call all of them, in the order in which they subscribed."""
        for listener in self._listeners:
            self._faults.attempt("an event was not passed on", listener, at, event)
