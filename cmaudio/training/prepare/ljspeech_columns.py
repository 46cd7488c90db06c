"""Detects the columns of a metadata.csv: LJSpeech's text twice, or a speaker between id and text."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence

from cmaudio.errors import CmaudioError

_LONGEST_NAME = 40
_LENGTHS = 3.0  # at most this ratio between a text and the same text in words, such as "in 1465"
_MOST, _HARDLY_ANY = 0.5, 0.05


def second_is_speaker(pairs: Sequence[tuple[str, str]], where: str) -> bool:
    """Whether the second columns name speakers; False if they hold another form of the text in the third.

    A text has one form in words, but a speaker says many texts: so the second column names speakers if most of its
    values occur with several texts. It holds texts if hardly any does, and the two columns are alike.

    Args:
        pairs: second and third column of every line that has both.
        where: the file, for messages.

    Raises:
        CmaudioError: neither is the case.
    """
    third_by_second: defaultdict[str, set[str]] = defaultdict(set)
    for second, third in pairs:
        third_by_second[second].add(_plain(third))
    several = sum(len(third_by_second[second]) > 1 for second, _ in pairs) / len(pairs)
    alike = sum(_alike(second, third) for second, third in pairs) / len(pairs)
    if several > _MOST and all(len(second) <= _LONGEST_NAME for second in third_by_second):
        return True
    if several <= _HARDLY_ANY and alike >= _MOST:
        return False
    second, third = next((pair for pair in pairs if not _alike(*pair)), pairs[0])
    raise CmaudioError(
        f"{where}: it is not clear what the second of its three columns holds, such as {second[:_LONGEST_NAME]!r} "
        f"beside {third[:_LONGEST_NAME]!r}. {several:.0%} of its values stand beside more than one text, as speakers "
        f"would, and {alike:.0%} are like the third column, as a text and its form in words would be. Write id|text in "
        "two columns, or id|speaker|text where every speaker says more than one text"
    )


def _alike(text: str, in_words: str) -> bool:
    """Whether both may be the same text: a word in common, or similar lengths."""
    if set(_plain(text).split()) & set(_plain(in_words).split()):
        return True
    short, long = sorted((len(_plain(text)), len(_plain(in_words))))
    return long <= _LENGTHS * max(short, 1)


def _plain(text: str) -> str:
    """Words in lower case, without punctuation."""
    return " ".join(re.findall(r"\w+", text.lower()))
