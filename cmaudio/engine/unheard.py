"""Telling once that what was asked for is not heard, because the engine has one channel."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from cmaudio.score.expression import EXPRESSIONS


class Unheard:
    """Watches the expressions that are set, and tells of the first that only two channels make audible.

    Args:
        channels: of the engine.
    """

    def __init__(self, channels: int) -> None:
        self._told = channels > 1
        self._listener: Callable[[str], object] = lambda text: warnings.warn(text, stacklevel=1)

    def listen(self, listener: Callable[[str], object]) -> None:
        """Call `listener` with one line instead of warning, on the thread that makes the sound."""
        self._listener = listener

    def check(self, name: str, value: float) -> None:
        """An expression was set."""
        expression = EXPRESSIONS[name]
        if expression.mix and value != expression.rest and not self._told:
            self._told = True
            self._listener(f"{name} is not heard: the instrument has one channel; use channels=2")
