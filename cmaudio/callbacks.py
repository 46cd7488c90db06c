"""Calling user callbacks without letting their errors stop the sound."""

from __future__ import annotations

import sys
from collections.abc import Callable


def call_guarded(callback: Callable[..., object], *arguments: object) -> None:
    """Call a user's callback; an exception goes to `sys.excepthook`, not to the caller."""
    try:
        callback(*arguments)
    except Exception:
        sys.excepthook(*sys.exc_info())
