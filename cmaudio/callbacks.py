"""Calling user callbacks without letting their errors stop the sound."""

from __future__ import annotations

import sys
from collections.abc import Callable

ANY_ERROR = (Exception, SystemExit)
"""What a call may raise without ending its thread: `sys.exit()` in a callback must not stop the sound either."""


def call_guarded(callback: Callable[..., object], *arguments: object) -> None:
    """Call a user's callback; an exception goes to `sys.excepthook`, not to the caller."""
    try:
        callback(*arguments)
    except ANY_ERROR:
        sys.excepthook(*sys.exc_info())
