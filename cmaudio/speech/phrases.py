"""Cuts a text that is still being written into phrases, each as soon as its end is known.

Where a phrase ends depends only on the text up to the word after it, so a text gives the same phrases whether it
arrives at once or letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cmaudio.speech.text.sentence_ends import ends_sentence

MAX_WORDS = 24
_LEAST_WORDS = 3  # fewer before a comma are joined to what follows
_MARKS = ".!?…,;:—–"
_CLOSING = "\"'”’»)]}"
_TOKEN = re.compile(r"\n[^\S\n]*\n\s*|\S+")  # a blank line, or a word; a single line break is a space


class Piece(NamedTuple):
    """A phrase of a text: what it says, the mark that ends it (one of . ! ? … , ; : —), and its offset in the text."""

    text: str
    mark: str
    start: int


class PhraseReader:
    """Cuts a growing text."""

    def __init__(self) -> None:
        self._rest = ""
        self._offset = 0  # of `_rest` in the whole text

    def feed(self, text: str) -> Iterator[Piece]:
        """More text; yields every phrase whose end is known by now, with mark "," where it only became too long."""
        self._rest += text
        while (found := self._next()) is not None:
            phrase, mark, end = found
            start = self._offset + len(phrase) - len(phrase.lstrip())
            self._rest, self._offset = self._rest[end:], self._offset + end
            if phrase.strip():
                yield Piece(phrase.strip(), mark, start)

    def end(self) -> Iterator[Piece]:
        """The text is complete; yields the rest of it."""
        yield from self.feed("\n\n.")
        self._rest = ""

    def _next(self) -> tuple[str, str, int] | None:
        """The first phrase, its mark, and the offset after it."""
        count, tokens = 0, _TOKEN.finditer(self._rest)
        while (token := next(tokens, None)) is not None:
            if token.end() == len(self._rest):
                return None  # it may continue
            if token[0].isspace():
                return self._rest[: token.start()], ".", token.end()
            count += 1
            word, mark = _split_mark(token[0])
            if mark and (ended := self._ends(word, mark, count, token.end())) is not False:
                return None if ended is None else (self._rest[: token.start() + len(word)], mark[-1], token.end())
            if count == MAX_WORDS:
                return self._rest[: token.end()], ",", token.end()
        return None

    def _ends(self, word: str, mark: str, count: int, end: int) -> bool | None:
        """Whether `mark` after the `count`th word ends the phrase; None where the next word is needed to tell."""
        if mark[0] not in ".!?…":
            return count >= _LEAST_WORDS
        if mark != ".":
            return True
        following = _TOKEN.search(self._rest, end)
        if following is not None and following[0].isspace():
            return True
        complete = following is not None and following.end() < len(self._rest)
        return ends_sentence(word, following[0] if following is not None and complete else None)


def _split_mark(token: str) -> tuple[str, str]:
    """A word, and the marks after it; closing quotes and brackets go with these."""
    word = token.rstrip(_MARKS + _CLOSING)
    mark = "".join(sign for sign in token[len(word) :] if sign in _MARKS)
    if not mark and (word == "-" or word.endswith("--")):
        return word.rstrip("-"), "—"
    return word if mark else token, mark


def read_phrases(pieces: Iterable[str]) -> Iterator[Piece]:
    """The phrases of a text that comes in pieces."""
    reader = PhraseReader()
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.end()
