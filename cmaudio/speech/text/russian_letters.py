"""Latin letters in Russian that may look like Roman numerals, or like English: XL размер, от S до XXL, витамин C."""

from __future__ import annotations

import re

from cmaudio.speech.text.russian_ordinals import is_numbered

_LETTERS = {
    "A": "а\u0301", "B": "бэ", "C": "цэ", "D": "дэ", "E": "е", "H": "аш", "K": "ка", "L": "эль", "M": "эм", "S": "эс",
    "X": "икс",
}  # fmt: skip
_ALONE = frozenset("SML")
SIZE = re.compile(r"(?<![\w.])(?<!\d\s)(?P<count>[2-9](?=X))?(?P<letters>X{0,5}[SL]|M)(?![\w'’])")
_WORD_BEFORE, _WORD_AFTER = re.compile(r"[А-Яа-яЁё]+(?=\s$)"), re.compile(r"\s([А-Яа-яЁё]+)")
KIND = re.compile(
    r"(?<![\w-])(?P<noun>(?:витамин|гепатит|категори|групп|класс|план|вариант|точк|пункт|сторон|подъезд|корпус)[а-яё]{0,3}"
    r"(?:\sкрови)?)\s(?P<letters>[A-EHKL](?:(?:,|\sи|\sили)\s[A-EHKL])*)(?![\w'’])",
    re.IGNORECASE,
)
# In a phrase with one of these, a letter alone is a size.
_CONTEXT = re.compile(
    r"размер|X[SL](?!\w)|футболк|майк|рубаш|куртк|пальто|плать|юбк|брюк|джинс|штан|шорт|свитер|худи|толстовк|кофт|пиджак|"
    r"костюм|перчат|шапк|шлем|бель|трус|лифчик|бюстгальтер|носк|колгот|купальник|жилет|плащ|блузк|халат|пижам|одежд",
    re.IGNORECASE,
)


def kind(match: re.Match[str]) -> str | None:
    """A noun and the letters after it, by their Latin names: витамин C, категории B и C; None for small letters."""
    letters = re.sub("[A-Z]", lambda letter: _LETTERS[letter[0]], match["letters"])
    return None if letters == match["letters"] else f"{match['noun']} {letters}"


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
