"""A text that is still being written, in phrases: each is given out as soon as it is known where it ends.

Where a phrase ends depends on what stands before its end alone, so a text gives the same phrases whether it comes at
once or letter by letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

MAX_WORDS = 24
_LEAST_WORDS = 3  # fewer before a comma stay with what follows
_MARKS = ".!?…,;:—–"
_CLOSING = "\"'”’»)]}"
_TOKEN = re.compile(r"\n|\S+")
_ABBREVIATIONS = frozenset(
    [
        "mr",
        "mrs",
        "ms",
        "dr",
        "prof",
        "st",
        "sr",
        "jr",
        "vs",
        "etc",
        "e.g",
        "i.e",
        "approx",
        "dept",
        "est",
        "fig",
        "gen",
        "gov",
        "inc",
        "ltd",
        "no",
        "rev",
        "sgt",
        "col",
        "capt",
        "г",
        "гг",
        "т",
        "д",
        "п",
        "руб",
        "стр",
        "тыс",
        "млн",
        "ул",
        "им",
        "др",
        "см",
    ]
)


class PhraseReader:
    """Cuts a growing text. A phrase is a piece of the text and the mark that ends it: one of . ! ? … , ; : —"""

    def __init__(self) -> None:
        self._rest = ""

    def feed(self, text: str) -> Iterator[tuple[str, str]]:
        """More text; yields every phrase that is whole by now, with mark "," where it has only become too long."""
        self._rest += text
        while (found := self._next()) is not None:
            phrase, mark, end = found
            self._rest = self._rest[end:]
            if phrase.strip():
                yield phrase.strip(), mark

    def end(self) -> Iterator[tuple[str, str]]:
        """The text is at its end; yields what is left of it."""
        yield from self.feed("\n")
        self._rest = ""

    def _next(self) -> tuple[str, str, int] | None:
        """The first phrase, its mark, and where the text goes on after it."""
        for count, token in enumerate(_TOKEN.finditer(self._rest), 1):
            if token.end() == len(self._rest) and token[0] != "\n":
                return None  # a word that may go on
            if token[0] == "\n":
                return self._rest[: token.start()], ".", token.end()
            word, mark = _split_mark(token[0])
            if mark and _ends(word, mark, count):
                return self._rest[: token.start() + len(word)], mark[-1], token.end()
            if count == MAX_WORDS:
                return self._rest[: token.end()], ",", token.end()
        return None


def _split_mark(token: str) -> tuple[str, str]:
    """A word, and the marks after it; closing quotes and brackets go with these."""
    word = token.rstrip(_MARKS + _CLOSING)
    mark = "".join(sign for sign in token[len(word) :] if sign in _MARKS)
    if not mark and (word == "-" or word.endswith("--")):
        return word.rstrip("-"), "—"
    return word if mark else token, mark


def _ends(word: str, mark: str, count: int) -> bool:
    """Whether a mark after the `count`th word ends the phrase; not in "Dr. Smith", "J. Smith" or "Well, then"."""
    if mark[0] not in ".!?…":
        return count >= _LEAST_WORDS
    plain = word.strip("\"'“”‘’«»()[]")
    return mark != "." or not (
        plain.lower() in _ABBREVIATIONS or (len(plain) == 1 and plain.isupper() and plain != "I")
    )


def read_phrases(pieces: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(text, mark) of the phrases of a text that comes in pieces."""
    reader = PhraseReader()
    for piece in pieces:
        yield from reader.feed(piece)
    yield from reader.end()
