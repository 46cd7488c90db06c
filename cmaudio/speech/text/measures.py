"""English measures beyond a number and a unit: feet and inches, fractions of a mile, square feet."""

from __future__ import annotations

import re

from cmaudio.speech.text.numbers import FRACTIONS, NUMBER, attributive, cardinal, in_words
from cmaudio.speech.text.spans import Rule
from cmaudio.speech.text.units import unit_name

_FRACTION = rf"(?:[{''.join(FRACTIONS)}]|\d{{1,2}}/\d{{1,2}})"
_AMOUNT = rf"(?P<amount>(?:\d+[ -]?)?{_FRACTION}|{NUMBER})"
# Without a full stop "in" is a unit only where one of these follows: not in "1 in 5 people".
_INCH = (
    r"in(?:\.(?!\w)|(?= ?[x×] ?\d| by \d| (?:tall|long|wide|high|deep|thick|across|square|of (?:rain|snow|water))\b"
    r"|\s*$))"
)
# Nouns with fractions: three quarters of a mile.
_DIVIDED = frozenset(
    "mile inch hour cup teaspoon tablespoon pound ounce pint quart gallon yard foot acre meter metre liter litre "
    "kilometer kilometre kilogram gram ton century day week month year dozen million billion minute second page".split()
)
_AN = ("hour", "inch", "ounce", "acre")
_WHOLE_AND_PART = re.compile(rf"(?:(\d+)[ -]?)?({_FRACTION})")


def _amount(written: str) -> str:
    parts = _WHOLE_AND_PART.fullmatch(written)
    if parts is None:
        return cardinal(written)
    whole, part = parts[1], in_words(FRACTIONS.get(parts[2], parts[2]))
    if not whole:
        return part
    return f"{cardinal(whole)} and {'a ' + part.removeprefix('one ') if part.startswith('one ') else part}"


def _inches(match: re.Match[str]) -> str | None:
    written = match["amount"]
    if len(written) > 3 and written.isdecimal() and "." not in match[0]:
        return None  # a year
    one = written == "1" or match["gap"] == "-" or attributive(match)
    if FRACTIONS.get(written, written).count("/") and not re.search(r"\d[ -]", written) and not one:
        return _of(_amount(written), "inch")
    return f"{_amount(written)} {'inch' if one else 'inches'}"


def _feet_and_inches(match: re.Match[str]) -> str:
    single = attributive(match)
    feet = "foot" if single or match["feet"] == "1" else "feet"
    inches = "inch" if single or match["amount"] == "1" else "inches"
    return f"{cardinal(match['feet'])} {feet} {_amount(match['amount'])} {inches}"


def _feet(match: re.Match[str]) -> str:
    """With signs: 5'11"."""
    inches = match["inches"]
    feet = f"{cardinal(match['feet'])} {'foot' if match['feet'] == '1' else 'feet'}"
    return f"{feet} {cardinal(inches)}" if inches else feet


def _of(part: str, noun: str) -> str:
    """A fraction of one: of several parts "three quarters of a mile", of one "one quarter mile"."""
    if part.startswith("one "):
        return f"{part} {noun}"
    return f"{part} of {'an' if noun in _AN else 'a'} {noun}"


def _is_part(fraction: str) -> bool:
    """Whether it is less than one, and no date: 24/7 and 9/11 are names."""
    above, _, below = FRACTIONS.get(fraction, fraction).partition("/")
    return int(above) < int(below) and fraction != "9/11"


def _part(match: re.Match[str]) -> str | None:
    noun = match["noun"] or unit_name(match["abbreviation"])
    if noun not in _DIVIDED or not _is_part(match["part"]):
        return None
    part = in_words(FRACTIONS.get(match["part"], match["part"]))
    if match["gap"] == "-" or attributive(match):
        return f"{part.replace('quarters', 'quarter')} {noun}"
    return _of(part, noun)


def _whole_and_part(match: re.Match[str]) -> str | None:
    """2 1/2 tbsp."""
    unit = unit_name(match["abbreviation"])
    if unit is None or " " in unit or match["abbreviation"] == "in":
        return None
    one = match["gap"] == "-" or attributive(match)
    return f"{_amount(match['amount'])} {unit if one else _plural(unit)}"


def _plural(unit: str) -> str:
    return {"foot": "feet", "inch": "inches", "hertz": "hertz"}.get(unit, f"{unit}s")


def _power(match: re.Match[str]) -> str | None:
    """10 sq. ft., 3 fl. oz."""
    name = {"sq": "square", "cu": "cubic", "fl": "fluid"}[match["power"].rstrip(".")]
    unit = unit_name(match["unit"].rstrip("."))
    if unit is None or (name == "fluid") != (unit == "ounce"):
        return None
    many = not (match["amount"] == "1" or attributive(match))
    return f"{_amount(match['amount'])} {name} {_plural(unit) if many else unit}"


_ABBREVIATED = r"(?P<abbreviation>[a-zA-Z]{1,4})"
RULES: tuple[Rule, ...] = (
    Rule(re.compile(r"(?P<stone>\d{1,2}) ?st\.?(?= \d{1,2} ?lbs?\b)"), lambda m: f"{cardinal(m['stone'])} stone"),
    Rule(re.compile(rf"(?P<feet>\d{{1,3}})[ -]?ft\.?,? {_AMOUNT}[ -]?in(?:\.(?!\w)|(?![\w'’]))"), _feet_and_inches),
    Rule(
        re.compile(r"(?P<feet>\d{1,2})(?:['′](?! ?s\b)) ?(?:(?P<inches>\d{1,2})(?:[\"″]| ?in\b))?"),
        _feet,
    ),
    Rule(re.compile(rf"{_AMOUNT}(?P<gap>[ -]?){_INCH}"), _inches),
    Rule(re.compile(rf"{_AMOUNT} ?(?P<power>(?:sq|cu|fl)\.?) (?P<unit>[a-z]{{1,4}})(?:\.(?!\w)|(?!\w))"), _power),
    Rule(
        re.compile(rf"(?P<amount>\d+[ -]?{_FRACTION})(?P<gap>[ -]?){_ABBREVIATED}(?![\w'’])"),
        _whole_and_part,
    ),
    Rule(
        re.compile(rf"(?P<part>{_FRACTION})(?P<gap>[ -]?)(?:(?P<noun>[a-z]{{3,10}})|{_ABBREVIATED})(?![\w'’])"),
        _part,
    ),
)  # fmt: skip
