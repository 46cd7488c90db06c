"""Passes a text from the event loop that receives it in pieces to the thread that reads it."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from cmaudio.errors import CmaudioError

_SENTENCE_END = "\n\n"


class WrittenText:
    """An iterable of pieces that ends when the client ends the text.

    Args:
        most_letters: maximum length of the whole text, in characters.
    """

    def __init__(self, most_letters: int) -> None:
        self._pieces: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._room = self._most_letters = most_letters
        self._ended = False

    def write(self, text: str, flush: bool = False) -> None:
        """Append a piece; `flush` ends its sentence. Raises CmaudioError if the text becomes too long or has ended."""
        if self._ended:
            raise CmaudioError("the text has ended; open another connection for a new one")
        if len(text) > self._room:
            raise CmaudioError(f"a text has {self._most_letters} characters at most; open another connection for more")
        self._room -= len(text)
        self._pieces.put(text + (_SENTENCE_END if flush else ""))

    def end(self) -> None:
        """No more follows."""
        self._ended = True
        self._pieces.put(None)

    def __iter__(self) -> Iterator[str]:
        while (piece := self._pieces.get()) is not None:
            yield piece
