"""A text as its client writes it: pieces from the event loop to the thread that reads them."""

from __future__ import annotations

import queue
from collections.abc import Iterator

from cmaudio.errors import CmaudioError

_SENTENCE_END = "\n\n"


class WrittenText:
    """An iterable of pieces that ends when the client says so.

    Args:
        most_letters: of the whole text.
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
        """There is no more."""
        self._ended = True
        self._pieces.put(None)

    def __iter__(self) -> Iterator[str]:
        while (piece := self._pieces.get()) is not None:
            yield piece
