"""Calling what a user has handed in, without letting its errors stop the sound."""

from __future__ import annotations

import sys
from collections.abc import Callable


def call_guarded(callback: Callable[..., object], *arguments: object) -> None:
    """Call a user's callback; an exception goes to `sys.excepthook` and not to the caller."""
    try:
        callback(*arguments)
    except Exception:
        sys.excepthook(*sys.exc_info())
