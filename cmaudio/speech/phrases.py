"""Splits a text that is still being written into phrases, each as soon as its end is known.

Where a phrase ends depends only on the text up to the word after it, so a text gives the same phrases whether it
arrives at once or letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from cmaudio.speech.text.sentence_ends import ends_sentence

MAX_WORDS = 24
MAX_LETTERS = 400  # each sign may be read as a word, which takes long
_LEAST_WORDS = 3  # fewer before a comma are joined to the next phrase
_MARKS = ".!?…,;:—–"
_CLOSING = "\"'”’»)]}"
_TOKEN = re.compile(r"\n[^\S\n]*\n\s*|\S+")  # a blank line, or a word; a single line break is a space
_SPACE = re.compile(r"\s")


class Piece(NamedTuple):
    """A phrase of a text: its words, the mark that ends it (one of . ! ? … , ; : —), and its offset in the text."""

    text: str
    mark: str
    start: int


class PhraseReader:
    """Splits a growing text, in time proportional to its length whatever its pieces."""

    def __init__(self) -> None:
        self._text = ""  # phrases up to `_at` have been yielded
        self._at = 0
        self._offset = 0  # of `_text` in the whole text
        self._more: list[str] = []  # later text that does not decide anything yet
        self._open: re.Match[str] | None = None  # a word or blank line at the end of `_text`

    def feed(self, text: str) -> Iterator[Piece]:
        """More text; yields every phrase whose end is now known, with mark "," if it only became too long."""
        self._more.append(text)
        if self._continues(text):
            return
        self._text = "".join((self._text[self._at :], *self._more))
        self._offset, self._at = self._offset + self._at, 0
        self._more.clear()
        while (found := self._next()) is not None:
            phrase, mark, end = found
            start = self._offset + self._at + len(phrase) - len(phrase.lstrip())
            self._at = end
            if phrase.strip():
                yield Piece(phrase.strip(), mark, start)

    def end(self) -> Iterator[Piece]:
        """The text is complete; yields the rest of it."""
        yield from self.feed("\n\n.")
        self._text, self._at, self._open = "", 0, None

    def _continues(self, text: str) -> bool:
        """Whether more text only makes the last word or space longer, so that no phrase ends in it."""
        if not text or (self._open is None and text.isspace() and "\n" not in text):
            return True
        if self._open is None:
            return False
        return text.isspace() if self._open[0].isspace() else not _SPACE.search(text)

    def _next(self) -> tuple[str, str, int] | None:
        """The next phrase, its mark, and the offset after it."""
        self._open, first, earlier = None, 0, list[str]()
        for count, token in enumerate(_TOKEN.finditer(self._text, self._at), 1):
            if token.end() == len(self._text):
                self._open = token  # it may continue
                return None
            if token[0].isspace():
                return self._text[self._at : token.start()], ".", token.end()
            word, mark = _split_mark(token[0])
            if mark and (ended := self._ends(word, mark, count, token.end(), earlier)) is not False:
                if ended is None:
                    return None
                return self._text[self._at : token.start() + len(word)], _decisive(mark), token.end()
            first = token.start() if count == 1 else first
            earlier.append(token[0])
            if count == MAX_WORDS or token.end() - first >= MAX_LETTERS:
                return self._text[self._at : token.end()], ",", token.end()
        return None

    def _ends(self, word: str, mark: str, count: int, end: int, earlier: list[str]) -> bool | None:
        """Whether `mark` after the `count`th word ends the phrase; None if that depends on the next word."""
        if mark[0] not in ".!?…":
            return count >= _LEAST_WORDS
        if mark != ".":
            return True
        following = _TOKEN.search(self._text, end)
        if following is not None and following[0].isspace():
            return True
        complete = following is not None and following.end() < len(self._text)
        if not complete:
            self._open = following
        return ends_sentence(word, following[0] if following is not None and complete else None, earlier)


def _split_mark(token: str) -> tuple[str, str]:
    """A word, and the marks after it; closing quotes and brackets are part of these."""
    word = token.rstrip(_MARKS + _CLOSING)
    mark = "".join(sign for sign in token[len(word) :] if sign in _MARKS)
    if re.fullmatch(r"\.[,;:]", token[len(word) :]):
        return f"{word}.", mark[1:]  # the full stop of an abbreviation
    if not mark and (word == "-" or word.endswith("--")):
        return word.rstrip("-"), "—"
    return word if mark else token, mark


def _decisive(marks: str) -> str:
    """The mark that decides the intonation: the question of "what?!", the exclamation of '"Stop!", he said'."""
    return next((mark for mark in "?!" if mark in marks), marks[-1])


def read_phrases(pieces: Iterable[str]) -> Iterator[Piece]:
    """The phrases of a text that arrives in pieces."""
    reader = PhraseReader()
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.end()
