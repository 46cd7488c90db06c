"""Spans of a text and what a reader says for each; captions find their way back into the text through them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

OPENING = frozenset("\"'“‘«„([{*_~`¿¡")


@dataclass(frozen=True, slots=True)
class Span:
    """`text[start:end]`, and what is said for it: words, a pause ("," or "—"), or "" for nothing."""

    start: int
    end: int
    spoken: str


# What is said for a match, or None where the rule does not apply after all.
Say = Callable[[re.Match[str]], str | None]


@dataclass(frozen=True, slots=True)
class Rule:
    """Text that matches `pattern` from where a word may start is said as `say` gives it."""

    pattern: re.Pattern[str]
    say: Say


def rule(pattern: str, say: Say, flags: re.RegexFlag = re.NOFLAG) -> Rule:
    """A rule whose match ends where a word may end."""
    return Rule(re.compile(rf"(?:{pattern})(?!\w)", flags), say)


_WORD = re.compile(r"[^\W\d_]{2,}[-‐‑](?=\d)|\S+")  # what follows in mid-1980s is a number like any other
_OWNER = re.compile(r"['’]s(?!\w)")


def read(text: str, rules: Sequence[Rule], word: Callable[[str, int, int], Iterator[Span]]) -> Iterator[Span]:
    """The spans of a text, in order; between them there is nothing but space.

    Args:
        text: one phrase.
        rules: the first that matches at a place wins.
        word: spans of `text[start:end]`, which holds no space and which no rule matches from its start.
    """
    at = 0
    while at < len(text):
        if text[at].isspace():
            at += 1
        elif (span := _matched(text, at, rules)) is not None:
            yield span
            at = span.end
        elif text[at] in OPENING:
            yield Span(at, at + 1, "," if text[at] == "(" else "")
            at += 1
        else:
            token = _WORD.match(text, at)
            assert token is not None  # since text[at] is no space
            yield from word(text, at, token.end())
            at = token.end()


def _matched(text: str, at: int, rules: Sequence[Rule]) -> Span | None:
    for each in rules:
        match = each.pattern.match(text, at)
        if match is not None and match.end() > at and (spoken := each.say(match)) is not None:
            owner = _OWNER.match(text, match.end()) if spoken[-1:].isalpha() else None
            return Span(at, owner.end() if owner else match.end(), spoken + "'s" if owner else spoken)
    return None
