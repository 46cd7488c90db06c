"""Reports, once, that an expression is inaudible because the engine is mono."""

from __future__ import annotations

import warnings
from collections.abc import Callable

from cmaudio.score.expression import EXPRESSIONS


class MonoNotice:
    """Watches expressions as they are set, and reports the first that is audible only in stereo.

    Args:
        channels: of the engine.
    """

    def __init__(self, channels: int) -> None:
        self._reported = channels > 1
        self._listener: Callable[[str], object] = lambda text: warnings.warn(text, stacklevel=1)

    def listen(self, listener: Callable[[str], object]) -> None:
        """Call `listener` with one line instead of warning, on the rendering thread."""
        self._listener = listener

    def check(self, name: str, value: float) -> None:
        """Report an expression that has been set, if it is inaudible."""
        expression = EXPRESSIONS[name]
        if expression.mix and value != expression.rest and not self._reported:
            self._reported = True
            self._listener(f"{name} has no effect: the instrument is mono; use channels=2")
