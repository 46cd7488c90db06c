"""Roman numerals in Russian, which are ordinals that agree with a noun: XX съезд, глава IV.

ru-normalizr declines those before a noun in an oblique case (на XX съезде), and reads others as cardinals.
"""

from __future__ import annotations

import re
from typing import Any

from cmaudio.speech.text.roman_numerals import roman

# May be the name of something: V мотора. Sizes are read before.
_OTHERWISE = frozenset(("I", "V", "X", "L", "C", "XL"))
# What a numeral follows, and what those precede as numerals.
_NUMBERED = frozenset(
    "акт часть глава книга раздел том действие сцена явление картина песнь симфония соната концерт этап тур раунд "
    "круг век столетие квартал полугодие семестр четверть место съезд созыв конгресс собор чемпионат фестиваль "
    "конкурс турнир класс курс группа категория степень разряд ступень очередь статья пункт параграф мировой "
    "всемирный".split()
)
_CYRILLIC = "А-Яа-яЁё"
FOLLOWING = re.compile(rf"(?<![\w-])(?P<noun>[{_CYRILLIC}]+)\s(?P<numeral>[IVXLC]+)(?![\w-])")
PRECEDING = re.compile(rf"(?<![\w–—-])(?<![IVXLC]\sи\s)(?P<numeral>[IVXLC]+)(?=\s(?P<word>[{_CYRILLIC}]+))")
PAIR = re.compile(rf"(?<![\w-])(?P<one>[IVXLC]+) и (?P<other>[IVXLC]+)(?=\s(?P<noun>[{_CYRILLIC}]+))")
_BEFORE_OBJECTS = frozenset(("VERB", "INFN", "GRND", "PREP"))


def numbered_noun(match: re.Match[str]) -> str | None:
    """A noun and the numeral after it: глава IV, сцена II. None where it is another kind of word."""
    noun = _form(match["noun"], "NOUN")
    if noun is None or noun.normal_form not in _NUMBERED:
        return None
    said = _ordinal(match["numeral"], noun.tag, noun.tag.case)
    return None if said is None else f"{match['noun']} {said}"


def numeral_of_noun(match: re.Match[str]) -> str | None:
    """A numeral before a noun, or its adjective, in the nominative or accusative: XX съезд, XXII Олимпийские игры."""
    words = re.findall(rf"[{_CYRILLIC}]+", match.string[match.end() :])[:2]
    adjective = _form(words[0], "ADJF", "nomn")
    noun = _form(words[-1] if adjective else words[0], "NOUN", "nomn")
    agreeing = adjective or noun
    names = {form.normal_form for form in (adjective, noun) if form is not None}
    if agreeing is None or (match["numeral"] in _OTHERWISE and not names & _NUMBERED):
        return None
    before = re.search(rf"[{_CYRILLIC}]+(?=\s$)", match.string[: match.start()])
    is_object = before is not None and _morphology().parse(before[0])[0].tag.POS in _BEFORE_OBJECTS
    case = "accs" if is_object and _form(words[0], str(agreeing.tag.POS), "accs") is not None else "nomn"
    return _ordinal(match["numeral"], agreeing.tag, case)


def pair_of_noun(match: re.Match[str]) -> str | None:
    """Two numerals that share a noun in the plural: XIX и XX веков."""
    plurals = [form.tag for form in _morphology().parse(match["noun"]) if form.tag.POS == "NOUN" and "plur" in form.tag]
    if not plurals:
        return None
    tag = next((tag for tag in plurals if "nomn" in tag), plurals[0])
    said = [_ordinal(match[name], tag, tag.case, number="sing") for name in ("one", "other")]
    return None if None in said else " и ".join(map(str, said))


def is_numbered(word: str) -> bool:
    """Whether a word, in any case, is of those that numerals belong to: съезда, главе."""
    return _morphology().parse(word)[0].normal_form in _NUMBERED


def _form(word: str, part: str, case: str | None = None) -> Any:
    """The likeliest reading of a word as a part of speech (in a case); None where there is none."""
    # Without those of either gender: глава is a chapter as well as a head.
    forms = [form for form in _morphology().parse(word) if part == form.tag.POS and "ms-f" not in form.tag]
    if case and forms and case not in forms[0].tag and "nomn" not in forms[0].tag and "accs" not in forms[0].tag:
        return None  # likelier in another case: века, части
    return next((form for form in forms if case is None or case in form.tag), None)


def _ordinal(numeral: str, tag: Any, case: str, number: str | None = None) -> str | None:
    """In the case and with the gender of a noun, and in its number or the one given."""
    from num2words import num2words

    value = roman(numeral)
    if value is None:
        return None
    *rest, last = num2words(value, lang="ru", to="ordinal").split()
    ordinal = next(form for form in _morphology().parse(last) if "Anum" in form.tag)
    plural = (number or tag.number) == "plur"
    grammemes = {"plur", case} if plural else {tag.gender, "sing", case}
    if case == "accs" and (plural or tag.gender == "masc"):
        grammemes.add("inan")
    return " ".join([*rest, ordinal.inflect(grammemes).word])


def _morphology() -> Any:
    """The dictionaries that ru-normalizr has loaded."""
    from ru_normalizr._morph import get_morph

    return get_morph()
