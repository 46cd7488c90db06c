"""English days and months abbreviated without a full stop: Mon–Fri, Sat & Sun, Feb 2020."""

from __future__ import annotations

import re

from cmaudio.speech.text.spans import Rule, rule

_DAYS = {
    "Mon": "Monday", "Tue": "Tuesday", "Tues": "Tuesday", "Wed": "Wednesday", "Thu": "Thursday", "Thur": "Thursday",
    "Thurs": "Thursday", "Fri": "Friday", "Sat": "Saturday", "Sun": "Sunday",
}  # fmt: skip
_MONTHS = {
    "Jan": "January", "Feb": "February", "Mar": "March", "Apr": "April", "Jun": "June", "Jul": "July", "Aug": "August",
    "Sep": "September", "Sept": "September", "Oct": "October", "Nov": "November", "Dec": "December",
}  # fmt: skip
_FULL_MONTHS = {"May": "May", "June": "June", "July": "July"}
_FULL_DAYS = {name: name for name in _DAYS.values()}
_BETWEEN = re.compile(r"\s*[-‐‑–—]+\s*")
_MONTH = "|".join([*_MONTHS, *_MONTHS.values(), "May"])
_RANGE = re.compile(r"[-‐‑–—/]|\bto\b")
# After these names a time, a date or a dash; alone, "Sat" and "Sun" are words.
_TIMED = rf"(?=,? (?:at |from )?(?:\d{{1,2}}(?::\d\d|(?::\d\d)? ?[ap]\.?m|[-–]\d| (?:{_MONTH}))|(?:{_MONTH})\.? \d))"


def _names(names: dict[str, str], full: dict[str, str]) -> str:
    return "|".join(sorted([*names, *full], key=len, reverse=True))


def _joined(match: re.Match[str]) -> str | None:
    """Several names and what connects them; "to" for a dash."""
    words = re.findall(r"[A-Za-z]+|[^A-Za-z]+", match[0].rstrip("."))
    names = _DAYS | _MONTHS
    short = sum(word in names for word in words)
    if not short or (short == 1 and not _RANGE.search(match[0])):
        return None  # Jan and May may be people
    return "".join(_spelled(word, names) for word in words)


def _spelled(word: str, names: dict[str, str]) -> str:
    if word.isalpha():
        return names.get(word, word)
    if _BETWEEN.fullmatch(word.lstrip(".")):
        return " to "
    return ", " if "," in word else " and " if "&" in word else " "


def _list(names: dict[str, str], full: dict[str, str]) -> str:
    one = rf"(?:{_names(names, full)})\b\.?"
    return rf"{one}(?:(?:\s*(?:[-‐‑–—/&]|,(?: and| or)?)\s*|\s(?:and|or|to)\s){one})+"


RULES: tuple[Rule, ...] = (
    Rule(re.compile(_list(_DAYS, _FULL_DAYS)), _joined),
    Rule(re.compile(_list(_MONTHS, _FULL_MONTHS) + r"(?!\.? \d)"), _joined),
    Rule(re.compile(rf"(?P<day>{_names(_DAYS, {})})\b\.?{_TIMED}"), lambda m: _DAYS[m["day"]]),
    rule(r"(?P<day>Mon|Tues?|Thur?s?|Fri)(?!\.| [A-Z])", lambda m: _DAYS[m["day"]]),
    Rule(re.compile(rf"(?P<month>{_names(_MONTHS, {})})\.?(?= \d{{4}}(?!\d))"), lambda m: _MONTHS[m["month"]]),
)
