"""Roman numerals in English: Chapter IV, Louis XIV, World War I, XX century."""

from __future__ import annotations

import re

from cmaudio.speech.text.numbers import cardinal, in_words, ordinal

_NUMBERED = frozenset(
    "act apollo appendix article book bowl chapter class division episode exhibit factor figure grade group king "
    "lesson level mark number page part phase pope psalm queen round rocky saturn scene season section series stage "
    "step table tier title tome type unit verse volume war".split()
)  # fmt: skip
_MONARCHS = frozenset(
    "alexander carl charles christian edward elizabeth francis frederick george gustav haakon harald henry ivan james "
    "john leopold louis mary napoleon nicholas otto paul peter philip pius richard robert umberto wilhelm "
    "william".split()
)  # fmt: skip
_COUNTED_FAR = frozenset("book chapter page psalm verse volume".split())  # elsewhere L and C are letters: Group C
# Capitalised at the beginning of a sentence, and never a name that a numeral belongs to.
_NO_NAMES = frozenset(
    "a an the this that these those my your his her its our their no some any each every in on at by for from of to "
    "with and or but if as is was are see use via per size".split()
)
_LAST_OF_A_NAME = 30  # no person, and hardly a ship or an event, has a higher numeral: CV and XL are letters
_ROMAN = re.compile(r"(?=[IVXLC])(?:X{0,3}|XL|LX{0,3}|XC|C{1,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}


def roman(written: str) -> int | None:
    """The value of a Roman numeral below 400 in its usual form; None for anything else."""
    if not _ROMAN.fullmatch(written):
        return None
    values = [_VALUES[letter] for letter in written]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def numbered(match: re.Match[str]) -> str | None:
    """After a word: Chapter IV, Louis XIV, World War I; not "I" after any other word."""
    numeral, value = match["numeral"], roman(match["numeral"])
    before = re.search(r"[A-Za-z]+(?=\s+$)", match.string[: match.start()])
    if value is None or before is None:
        return None
    name = before[0]
    if name.lower() in _NUMBERED and (numeral not in ("L", "C") or name.lower() in _COUNTED_FAR):
        return cardinal(str(value))
    if not name[0].isupper() or name.isupper() or name.lower() in _NO_NAMES or value > _LAST_OF_A_NAME:
        return None  # My CV, The IV drip, Size XL
    if len(numeral) < 2 and not (name.lower() in _MONARCHS and _ends_a_name(numeral, match)):
        return None  # Malcolm X; "said James, I"
    return f"the {in_words(ordinal(value))}"


def _ends_a_name(numeral: str, match: re.Match[str]) -> bool:
    """Whether a Roman numeral of one letter belongs to the monarch before it."""
    return numeral == "V" or re.match(r"['’]s\b|\s*$|\s+of\b", match.string[match.end() :]) is not None


def of_century(match: re.Match[str]) -> str | None:
    value = roman(match["numeral"])
    return None if value is None else in_words(ordinal(value))
