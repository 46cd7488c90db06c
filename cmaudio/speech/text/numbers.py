"""English numbers, money, dates, times and units in words, by NeMo's grammar and a few rules for what it lacks."""

from __future__ import annotations

import re
import threading
from functools import lru_cache
from typing import Any

from cmaudio.speech.text.spans import Rule, rule
from cmaudio.speech.text.units import UNIT, unit_in_words

_MONTH = (
    r"(?:Jan(?:uary|\.)?|Feb(?:ruary|\.)?|Mar(?:ch|\.)?|Apr(?:il|\.)?|May|June?\.?|July?\.?|Aug(?:ust|\.)?"
    r"|Sept?(?:ember|\.)?|Oct(?:ober|\.)?|Nov(?:ember|\.)?|Dec(?:ember|\.)?)"
)
_MONTHS = "January February March April May June July August September October November December".split()
NUMBER = r"(?>\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?)"
_SCALE = {"k": "thousand", "m": "million", "mn": "million", "b": "billion", "bn": "billion", "tn": "trillion"}
_CURRENCY = {
    "$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₽": "roubles", "₹": "rupees", "₩": "won", "₺": "lira",
    "₴": "hryvnias", "₿": "bitcoins", "₫": "dong", "฿": "baht", "₪": "shekels", "₱": "pesos",
    "US$": "U S dollars", "A$": "Australian dollars", "AU$": "Australian dollars", "C$": "Canadian dollars",
    "CA$": "Canadian dollars", "NZ$": "New Zealand dollars", "HK$": "Hong Kong dollars", "S$": "Singapore dollars",
    "USD": "U S dollars", "EUR": "euros", "GBP": "pounds", "JPY": "yen", "RUB": "roubles", "INR": "rupees",
    "CNY": "yuan", "CHF": "Swiss francs", "CAD": "Canadian dollars", "AUD": "Australian dollars",
}  # fmt: skip
_MONEY = "|".join(sorted(map(re.escape, _CURRENCY), key=len, reverse=True))
_DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
FRACTIONS = {
    "½": "1/2", "⅓": "1/3", "⅔": "2/3", "¼": "1/4", "¾": "3/4", "⅕": "1/5", "⅖": "2/5", "⅗": "3/5", "⅘": "4/5",
    "⅙": "1/6", "⅚": "5/6", "⅛": "1/8", "⅜": "3/8", "⅝": "5/8", "⅞": "7/8",
}  # fmt: skip
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")
_PLACE = re.compile(
    r"\b(?:room|seat|row|gate|flat|apartment|house|floor|page|chapter|section|part|figure|table|exhibit|route|bus|line"
    r"|platform|terminal|building|block|unit|suite|number|question|class|grade|level|step|item|version|model) $",
    re.IGNORECASE,
)  # whose numbers may end in a letter: seat 14A

_loading = threading.Lock()
_loaded: list[Any] = []


def _grammar() -> Any:
    """NeMo's English grammar, loaded by the first text that needs it (20 ms)."""
    with _loading:
        if not _loaded:
            from kitten_text_processing import Normalizer

            _loaded.append(Normalizer(lang="en"))
    return _loaded[0]


@lru_cache(4096)
def in_words(written: str) -> str:
    """The grammar's reading of a number, an amount, a date or the like; unchanged if it has none."""
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


def ordinal(value: int) -> str:
    """As it is written in digits: 21st."""
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def _groups(grouped: str) -> list[str]:
    """The grammar reads a long number best in its groups of thousands; they are rarely met twice, their parts often."""
    names = ["", "thousand", "million", "billion"]
    parts = grouped.split(",")
    return [
        f"{in_words(str(int(part)))} {names[len(parts) - 1 - i]}".strip() for i, part in enumerate(parts) if int(part)
    ]


def attributive(match: re.Match[str]) -> bool:
    """Whether an amount qualifies a noun, which puts its unit in the singular: a 5 km run."""
    return re.search(r"(?<![\w'’])[Aa]n? $", match.string[: match.start()]) is not None


def _money(match: re.Match[str]) -> str | None:
    sign, currency, amount, scale = match["sign"], match["currency"], match["amount"], match["scale"]
    minus = "minus " if (sign and sign != "+") or match.groupdict().get("minus") else ""
    name = _CURRENCY[currency]
    if (amount == "1" and not scale) or attributive(match):
        name = name.removesuffix("s")
    if scale:
        word = _SCALE.get(scale.lower(), scale.lower())
        return f"{minus}{cardinal(amount)} {word} {name}"
    if re.search(r"\.\d\d$", amount) and currency in "$€£":
        return minus + in_words(currency + amount)
    return f"{minus}{cardinal(amount)} {name}"


def _between(match: re.Match[str]) -> str | None:
    """The words for a dash between two amounts."""
    before, after = match.string[: match.start()], match.string[match.end() :]
    first, second = re.search(rf"{NUMBER}(?=\D*$)", before), re.search(NUMBER, after)
    if first is None or second is None or not re.search(r"[\d%°.][^\W\d_]{0,4}\.? ?$|[€¢] ?$", before):
        return None
    if before.endswith(" ") != match[0].endswith(" ") or match[0] == "- ":
        return None
    if re.match(r"\s*=", after[second.end() :]):
        return "minus"
    low, high = (float(number[0].replace(",", "")) for number in (first, second))
    named = match[0] == "-" and low > high and len(first[0]) == len(second[0]) > 2  # the 747-400
    return "" if named or low == high else "to"


def _chain(match: re.Match[str]) -> str:
    """1-2-3 by its numbers, longer groups by their digits."""
    groups = match[0].split("-")
    return " ".join(map(cardinal, groups)) if max(map(len, groups)) < 3 else digits(match[0])


def _dotted(match: re.Match[str]) -> str:
    """A version, or the address of a computer."""
    groups = match[0].split(".")
    return (" dot " if len(groups) == 4 else " point ").join(map(cardinal, groups))


def _over(match: re.Match[str]) -> str | None:
    """A fraction, or what only looks like one: 120/80, the season 2020/21."""
    whole, above, below = match["whole"], int(match["above"]), int(match["below"])
    if whole or (above < below and below <= 20) or below in (2, 3, 4, 32, 64, 100, 1000):
        return in_words(match[0])
    if len(match["above"]) == 4 and len(match["below"]) == 2:
        return f"{year_or_number(match['above'])} {cardinal(match['below'])}"
    return f"{cardinal(match['above'])} over {cardinal(match['below'])}"


def _product(match: re.Match[str]) -> str:
    """2x4; with a result 3×4=12."""
    said = "times" if re.match(r"\s*=", match.string[match.end() :]) else "by"
    return f"{cardinal(match['wide'])} {said} {cardinal(match['high'])}"


def _scientific(match: re.Match[str]) -> str:
    power = match["power"].lstrip("+")
    sign = "minus " if power.startswith("-") else ""
    return f"{cardinal(match['base'])} times ten to the {sign}{cardinal(power.lstrip('-'))}"


def year_or_number(written: str) -> str:
    return in_words(written) if re.fullmatch(r"1[1-9]\d\d|20\d\d", written) else cardinal(written)


def _lines(match: re.Match[str]) -> str:
    """1080p: ten eighty p."""
    number, letter = int(match["lines"]), match["scan"]
    return f"{in_words(str(number // 100))} {in_words(str(number % 100))} {letter}"


def _unit(match: re.Match[str]) -> str | None:
    sign, amount = match["sign"], match["amount"]
    if len(match["unit"]) == 1 and not match["gap"] and _PLACE.search(match.string[: match.start()]):
        return None
    many = amount != "1" and match["gap"] != "-" and not attributive(match)
    return f"{'minus ' if sign else ''}{cardinal(amount)} {unit_in_words(match, many)}"


def _fraction(match: re.Match[str]) -> str:
    part = in_words(FRACTIONS[match["part"]])
    if not match["whole"]:
        return part
    part = part if part.split()[0] != "one" else "a " + part.removeprefix("one ")
    return f"{cardinal(match['whole'])} and {part}"


def _raised(match: re.Match[str]) -> str:
    power = match["power"].translate(_SUPERSCRIPTS)
    if power in ("2", "3"):
        return f"{cardinal(match['base'])} {'squared' if power == '2' else 'cubed'}"
    sign = "minus " if power.startswith("-") else ""
    return f"{cardinal(match['base'])} to the power of {sign}{cardinal(power.lstrip('-'))}"


def _telephone(match: re.Match[str]) -> str:
    return f"{'plus ' if match[0].startswith('+') else ''}{digits(match[0])}"


def _called(match: re.Match[str]) -> str:
    return f"{match['verb']} {digits(match['number'])}"


def _minus(match: re.Match[str]) -> str | None:
    before = match.string[: match.start()]
    return None if before[-1:].isalnum() else "minus " + cardinal(match["amount"])


def _old_year(match: re.Match[str]) -> str:
    year = match["year"]
    return f"{match['word']} {cardinal(year[:2])} {cardinal(year[2:])}"


def _date(match: re.Match[str]) -> str:
    return in_words(f"{match['day']} {_MONTHS[int(match['month']) - 1]} {match['year']}")


_TIME = r"\d{1,2}:\d{2}(?::\d{2})?"
_HALF_DAY = r"[ap]\.?m\.?|[AP]\.?M\.?"

_CALL = r"[Cc]all(?:ed|ing)?|[Dd]ial(?:ed|led|ling)?|[Pp]hon(?:e|ed|ing)"
_DASH = "-‐‑–—"

RULES: tuple[Rule, ...] = (
    rule(r"\d{4}-\d{2}-\d{2}|\d{1,2}/\d{1,2}/(?:\d{4}|\d{2})", lambda m: in_words(m[0])),
    rule(r"0?(?P<day>[1-9]|[12]\d|3[01])\.0?(?P<month>[1-9]|1[0-2])\.(?P<year>\d{4})", _date),
    rule(rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?", lambda m: in_words(m[0])),
    rule(rf"(?:[12]\d|3[01]|[1-9]) {_MONTH}(?: \d{{4}})?", lambda m: in_words(m[0])),
    Rule(re.compile(rf"(?:{_TIME}|\d{{1,2}}) ?(?:{_HALF_DAY})(?!\w)"), lambda m: in_words(m[0])),
    rule(_TIME, lambda m: in_words(m[0])),
    rule(r"(?P<one>\d+):(?P<other>\d+)", lambda m: f"{cardinal(m['one'])} to {cardinal(m['other'])}"),
    rule(r"(?:\+?\d{1,3}[-. ])?(?:\(\d{3}\) ?|\d{3}[-. ])?\d{3}[-.]\d{4}", _telephone),
    rule(r"\d{3} \d{3} \d{4}|\(0\d{2,4}\) ?\d{3,4}[ -]?\d{3,4}|0\d{2,4}(?: \d{3,6}){1,2}", lambda m: digits(m[0])),
    rule(r"\+\d[\d -]{6,}\d", _telephone),
    rule(rf"(?P<verb>{_CALL}) (?P<number>\d{{3}}(?: \d{{4}})?)(?![-. ]?\d)", _called),
    rule(r"(?P<state>[A-Z]{2}) (?P<code>\d{5})", lambda m: f"{' '.join(m['state'])} {digits(m['code'])}"),
    Rule(re.compile(rf"[{_DASH}] ?(?=(?:{_MONEY})?\d)"), _between),
    rule(r"24/7|50/50|9/11", lambda m: " ".join(map(cardinal, m[0].split("/")))),
    rule(
        rf"(?P<sign>[-−+]?)(?P<currency>{_MONEY}) ?(?P<minus>[-−]?)(?P<amount>{NUMBER})"
        r"(?: ?(?P<scale>thousand|million|billion|trillion|[kmbKMB]n?|tn))?",
        _money,
    ),
    Rule(
        re.compile(
            rf"(?P<sign>[-−+]?)(?P<amount>{NUMBER})(?: ?(?P<scale>thousand|million|billion|trillion|[kmb]n?))?"
            rf" ?(?P<currency>{_MONEY})(?!\w)"
        ),
        _money,
    ),
    rule(r"\d+(?:-\d+){2,}", _chain),
    rule(r"\d+(?:\.\d+){2,}", _dotted),
    rule(rf"(?P<base>{NUMBER})[eE](?P<power>[-+]?\d+)", _scientific),
    rule(r"(?P<wide>\d+)[x×](?P<high>\d+)", _product),
    rule(rf"(?P<amount>{NUMBER})x", lambda m: f"{cardinal(m['amount'])} times"),
    rule(r"[‘’']?\d+0s", lambda m: in_words(m[0].lstrip("‘’'"))),
    rule(r"\d{1,3}(?:,\d{3})*(?:st|nd|rd|th)", lambda m: in_words(m[0])),
    rule(r"(?P<lines>480|720|1080|1440|2160|4320)(?P<scan>[pi])", _lines),
    Rule(re.compile(rf"(?P<whole>\d*) ?(?P<part>[{''.join(FRACTIONS)}])"), _fraction),
    rule(r"(?:(?P<whole>\d+) )?(?P<above>\d{1,4})/(?P<below>\d{1,4})", _over),
    rule(rf"(?P<base>{NUMBER})(?P<power>⁻?[⁰¹²³⁴-⁹]+)", _raised),
    Rule(re.compile(rf"(?P<sign>[-−]?)(?P<amount>{NUMBER})(?P<gap>[ -]?)(?:{UNIT})(?![\w'’²³]|\.\w)"), _unit),
    rule(rf"[-−](?P<amount>{NUMBER})", _minus),
    rule(r"(?P<sign>[-−]?)\.(?P<part>\d+)", lambda m: f"{'minus ' if m['sign'] else ''}point {digits(m['part'])}"),
    rule(r"0\d+", lambda m: digits(m[0])),
    Rule(re.compile(r"(?P<word>[Ii]n|[Ss]ince|[Uu]ntil|[Yy]ear) (?P<year>10[1-9]\d)(?![\w,.]|\s+[a-z])"), _old_year),
    rule(r"1[1-9]\d\d|20\d\d", lambda m: in_words(m[0])),
    rule(NUMBER, lambda m: cardinal(m[0])),
)  # fmt: skip
