"""Calling the functions of others: subscribers of an event, and callbacks whose errors must not stop the sound."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Generic, ParamSpec

P = ParamSpec("P")


class Subscribers(Generic[P]):
    """Functions that are called with each event. They may be added and removed from any thread, also during a call."""

    def __init__(self) -> None:
        self._functions: tuple[Callable[P, object], ...] = ()

    def __len__(self) -> int:
        return len(self._functions)

    def subscribe(self, function: Callable[P, object]) -> Callable[[], None]:
        """Add a function; returns one that removes it."""
        self._functions = (*self._functions, function)

        def unsubscribe() -> None:
            self._functions = tuple(known for known in self._functions if known is not function)

        return unsubscribe

    def notify(self, *arguments: P.args, **named: P.kwargs) -> None:
        """Call all functions, in the order in which they were added."""
        for function in self._functions:
            function(*arguments, **named)


ANY_ERROR = (Exception, SystemExit)
"""What a call may raise without ending its thread: `sys.exit()` in a callback must not stop the sound either."""


def call_guarded(callback: Callable[..., object], *arguments: object) -> None:
    """Call a user's callback; an exception goes to `sys.excepthook`, not to the caller."""
    try:
        callback(*arguments)
    except ANY_ERROR:
        sys.excepthook(*sys.exc_info())
