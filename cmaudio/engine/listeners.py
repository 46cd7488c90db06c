"""Listeners that are notified of what the engine plays."""

from __future__ import annotations

from collections.abc import Callable

from cmaudio.score.events import Event

Listener = Callable[[int, Event], object]


class Listeners:
    """Functions that are called with each event and the sample of the engine's clock at which it happens.

    They are called on the rendering thread, which must not block: they should only append to a queue.
    """

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; returns the function that removes it."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(known for known in self._listeners if known is not listener)

        return unsubscribe

    def tell(self, at: int, event: Event) -> None:
        """Call all of them, in the order in which they subscribed."""
        for listener in self._listeners:
            listener(at, event)
