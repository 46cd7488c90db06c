"""Counts the held notes that are stolen, and reports each burst of them once."""

from __future__ import annotations

from collections.abc import Callable

_BURST_SECONDS = 5.0


class Stealing:
    """How many notes were cut off while a key or pedal held them, to make room for new notes.

    Attributes:
        count: so far. The tails of released notes are not counted.
    """

    def __init__(self, sample_rate: int) -> None:
        self.count = 0
        self._burst_samples = _BURST_SECONDS * sample_rate
        self._last_at = -self._burst_samples
        self._listener: Callable[[], object] = lambda: None

    def listen(self, listener: Callable[[], object]) -> None:
        """Call `listener` at the first stolen note after 5 s without one, on the rendering thread."""
        self._listener = listener

    def add(self, at: int) -> None:
        """Count a note that was cut off at this sample."""
        self.count += 1
        begins, self._last_at = at - self._last_at >= self._burst_samples, at
        if begins:
            self._listener()
