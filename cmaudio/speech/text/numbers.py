"""English numbers, money, dates, times and units in words, by NeMo's grammar and a few rules for what it leaves."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

from cmaudio.speech.text.spans import Rule, rule

_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_NUMBER = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
_SCALE = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
_CURRENCY = {"$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₽": "roubles", "₹": "rupees"}
_ONE = {"dollars": "dollar", "euros": "euro", "pounds": "pound", "roubles": "rouble", "rupees": "rupee"}
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_FRACTIONS = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_UNITS = {  # that the grammar lacks, spells, or reads as something else: one, many
    "m²": ("square meter", "square meters"), "km²": ("square kilometer", "square kilometers"),
    "m³": ("cubic meter", "cubic meters"), "m": ("meter", "meters"),
    "s": ("second", "seconds"), "sec": ("second", "seconds"), "hr": ("hour", "hours"),
    "hrs": ("hours", "hours"), "h": ("hour", "hours"), "V": ("volt", "volts"), "W": ("watt", "watts"),
    "A": ("amp", "amps"), "g": ("gram", "grams"), "L": ("liter", "liters"), "l": ("liter", "liters"),
    "KB": ("kilobyte", "kilobytes"), "MB": ("megabyte", "megabytes"), "GB": ("gigabyte", "gigabytes"),
    "TB": ("terabyte", "terabytes"), "kB": ("kilobyte", "kilobytes"), "ms": ("millisecond", "milliseconds"),
    "dB": ("decibel", "decibels"), "¢": ("cent", "cents"), "°": ("degree", "degrees"),
}  # fmt: skip
_OTHER_UNITS = "|".join(sorted(_UNITS, key=len, reverse=True))
_GRAMMAR_UNITS = "km/h|km|cm|mm|kg|mg|lbs|lb|oz|ft|yd|mi|mph|kph|min|kHz|MHz|GHz|Hz|kW|ml|°C|°F|° C|° F|%|‰"

_loading = threading.Lock()
_loaded: list[Any] = []


def _grammar() -> Any:
    """NeMo's English grammar, read by the first text that needs it (20 ms)."""
    with _loading:
        if not _loaded:
            from kitten_text_processing import Normalizer

            _loaded.append(Normalizer(lang="en"))
    return _loaded[0]


@lru_cache(4096)
def in_words(written: str) -> str:
    """What the grammar reads for a number, an amount, a date or the like; as written where it has no reading."""
    spoken: str = _grammar().normalize(written)
    return re.sub(r"\b([AP])M\b", r"\1 M", spoken).strip()


def digits(written: str) -> str:
    """Digit by digit, groups apart."""
    return ", ".join(" ".join(_DIGITS[int(d)] for d in group) for group in re.findall(r"\d+", written))


def cardinal(written: str) -> str:
    """A whole or decimal number, its thousands grouped or not."""
    whole, _, fraction = written.replace(",", "").partition(".")
    if len(whole) > 12:
        return digits(whole + fraction)
    grouped = f"{int(whole or 0):,}"
    said = in_words(grouped) if int(whole or 0) < 10_000 else " ".join(_groups(grouped))
    return f"{said} point {digits(fraction)}" if fraction else said


def _groups(grouped: str) -> list[str]:
    """The grammar reads a long number best in its groups of thousands; they are rarely met twice, their parts often."""
    names = ["", "thousand", "million", "billion"]
    parts = grouped.split(",")
    return [
        f"{in_words(str(int(part)))} {names[len(parts) - 1 - i]}".strip() for i, part in enumerate(parts) if int(part)
    ]


def _money(match: re.Match[str]) -> str | None:
    sign, currency, amount, scale = match["sign"], match["currency"], match["amount"], match["scale"]
    minus = "minus " if sign and sign != "+" else ""
    name = _CURRENCY[currency]
    if scale:
        word = _SCALE.get(scale.lower(), scale.lower())
        return f"{minus}{cardinal(amount)} {word} {name}"
    if re.search(r"\.\d\d$", amount) and currency in "$€£":
        return minus + in_words(currency + amount)
    return f"{minus}{cardinal(amount)} {_ONE.get(name, name) if amount == '1' else name}"


def _range(match: re.Match[str]) -> str:
    first, last = (_year_or_number(match[name]) for name in ("first", "last"))
    return f"{first} to {last}"


def _year_or_number(written: str) -> str:
    return in_words(written) if re.fullmatch(r"1[1-9]\d\d|20\d\d", written) else cardinal(written)


def _lines(match: re.Match[str]) -> str:
    """1080p: ten eighty p."""
    number, letter = int(match["lines"]), match["scan"]
    return f"{in_words(str(number // 100))} {in_words(str(number % 100))} {letter}"


def _unit(match: re.Match[str]) -> str:
    amount, unit = match["amount"], match["unit"]
    one, many = _UNITS[unit]
    return f"{cardinal(amount)} {one if amount == '1' else many}"


def _feet(match: re.Match[str]) -> str:
    inches = match["inches"]
    feet = f"{cardinal(match['feet'])} {'foot' if match['feet'] == '1' else 'feet'}"
    return f"{feet} {cardinal(inches)}" if inches else feet


def _fraction(match: re.Match[str]) -> str:
    part = in_words(_FRACTIONS[match["part"]])
    if not match["whole"]:
        return part
    part = part if part.split()[0] != "one" else "a " + part.removeprefix("one ")
    return f"{cardinal(match['whole'])} and {part}"


def _power(match: re.Match[str]) -> str:
    return f"{cardinal(match['base'])} to the power of {cardinal(match['power'])}"


def _called(match: re.Match[str]) -> str:
    return f"{match['verb']} {digits(match['number'])}"


def _minus(match: re.Match[str]) -> str | None:
    before = match.string[: match.start()]
    return None if before[-1:].isalnum() else "minus " + cardinal(match["amount"])


_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_HALF_DAY = r"[ap]\.?m\.?|[AP]\.?M\.?"

RULES: tuple[Rule, ...] = (
    rule(r"\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})", lambda m: in_words(m[0])),
    rule(rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?", lambda m: in_words(m[0])),
    rule(rf"\d{{1,2}} {_MONTH} \d{{4}}", lambda m: in_words(m[0])),
    Rule(re.compile(rf"(?:{_TIME}|\d{{1,2}}) ?(?:{_HALF_DAY})(?!\w)"), lambda m: in_words(m[0])),
    rule(_TIME, lambda m: in_words(m[0])),
    rule(r"(?:\+?\d{1,3}[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])?\d{3}[-.]\d{4}", lambda m: digits(m[0])),
    rule(r"\d{3} \d{3} \d{4}", lambda m: digits(m[0])),
    rule(r"\+\d[\d -]{6,}\d", lambda m: digits(m[0])),
    rule(
        r"(?P<verb>[Cc]all(?:ed|ing)?|[Dd]ial(?:ed|led|ling)?|[Pp]hon(?:e|ed|ing)) (?P<number>\d{3})(?![-. ]?\d)",
        _called,
    ),
    rule(r"24/7|50/50|9/11", lambda m: " ".join(map(cardinal, m[0].split("/")))),
    Rule(re.compile(r"(?P<feet>\d{1,2})['′] ?(?:(?P<inches>\d{1,2})[\"″])?"), _feet),
    rule(
        rf"(?P<sign>[-−+]?)(?P<currency>[{''.join(_CURRENCY)}]) ?(?P<amount>{_NUMBER})"
        r"(?: ?(?P<scale>thousand|million|billion|trillion|[kmbKMB]n?|tn))?",
        _money,
    ),
    Rule(
        re.compile(rf"(?P<sign>[-−+]?)(?P<amount>{_NUMBER}) ?(?P<currency>[{''.join(_CURRENCY)}])(?P<scale>)(?!\w)"),
        _money,
    ),
    Rule(re.compile(rf"(?P<amount>{_NUMBER}) ?(?P<unit>¢)"), _unit),
    rule(rf"(?P<first>{_NUMBER})(?: ?[–—] ?|-)(?P<last>{_NUMBER})", _range),
    rule(r"[‘’']?\d+0s", lambda m: in_words(m[0].lstrip("‘’'"))),
    rule(r"\d{1,3}(?:,\d{3})*(?:st|nd|rd|th)", lambda m: in_words(m[0])),
    rule(r"(?P<lines>480|720|1080|1440|2160|4320)(?P<scan>[pi])", _lines),
    Rule(re.compile(rf"(?P<whole>\d*) ?(?P<part>[{''.join(_FRACTIONS)}])"), _fraction),
    rule(r"(?:\d+ )?\d{1,3}/\d{1,3}", lambda m: in_words(m[0])),
    rule(rf"(?P<base>{_NUMBER})\^(?P<power>\d+)", _power),
    Rule(re.compile(rf"[-−]?(?:{_NUMBER}) ?(?:{_GRAMMAR_UNITS})(?!\w)"), lambda m: in_words(m[0].replace("−", "-"))),
    Rule(re.compile(rf"(?P<amount>{_NUMBER}) ?(?P<unit>{_OTHER_UNITS})(?![\w'’²³])"), _unit),
    rule(rf"[-−](?P<amount>{_NUMBER})", _minus),
    rule(r"0\d+", lambda m: digits(m[0])),
    rule(r"1[1-9]\d\d|20\d\d", lambda m: in_words(m[0])),
    rule(_NUMBER, lambda m: cardinal(m[0])),
)  # fmt: skip
