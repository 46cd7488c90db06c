"""Sizes of clothes in Russian, some of which look like Roman numerals: XL размер, футболка M, от S до XXL."""

from __future__ import annotations

import re

from cmaudio.speech.text.russian_ordinals import is_numbered

_LETTERS = {"X": "икс", "S": "эс", "M": "эм", "L": "эль"}
_ALONE = frozenset("SML")
SIZE = re.compile(r"(?<![\w.])(?<!\d\s)(?P<count>[2-9](?=X))?(?P<letters>X{0,5}[SL]|M)(?![\w'’])")
_WORD_BEFORE, _WORD_AFTER = re.compile(r"[А-Яа-яЁё]+(?=\s$)"), re.compile(r"\s([А-Яа-яЁё]+)")
# In a phrase with one of these, a letter alone is a size.
_CONTEXT = re.compile(
    r"размер|X[SL](?!\w)|футболк|майк|рубаш|куртк|пальто|плать|юбк|брюк|джинс|штан|шорт|свитер|худи|толстовк|кофт|пиджак|"
    r"костюм|перчат|шапк|шлем|бель|трус|лифчик|бюстгальтер|носк|колгот|купальник|жилет|плащ|блузк|халат|пижам|одежд",
    re.IGNORECASE,
)


def size(match: re.Match[str]) -> str | None:
    """Letter by letter; None where it is a Roman numeral (XL съезд) or another letter."""
    letters, text = match["letters"], match.string
    if letters in _ALONE and not _CONTEXT.search(text):
        return None
    if letters in ("L", "XL") and not match["count"]:
        before, after = _WORD_BEFORE.search(text[: match.start()]), _WORD_AFTER.match(text, match.end())
        if (before and is_numbered(before[0])) or (after and is_numbered(after[1])):
            return None
    return " ".join(filter(None, [match["count"], *map(_LETTERS.__getitem__, letters)]))
