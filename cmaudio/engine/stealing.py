"""Counting the notes that end early because more are played than may sound, and telling of each burst of them once."""

from __future__ import annotations

from collections.abc import Callable

_BURST_SECONDS = 5.0


class Stealing:
    """How many notes were cut off while a key or pedal held them; their voices went to new notes.

    Attributes:
        count: so far. The tails of released notes are not counted.
    """

    def __init__(self, sample_rate: int) -> None:
        self.count = 0
        self._burst_samples = _BURST_SECONDS * sample_rate
        self._last_at = -self._burst_samples
        self._listener: Callable[[], object] = lambda: None

    def listen(self, listener: Callable[[], object]) -> None:
        """Call `listener` when a note is cut off and none was in the 5 s before, on the thread that makes the sound."""
        self._listener = listener

    def add(self, at: int) -> None:
        """A note was cut off at this sample."""
        self.count += 1
        begins, self._last_at = at - self._last_at >= self._burst_samples, at
        if begins:
            self._listener()
