"""English text normalisation: signs, abbreviations, initials, capitals, Roman numerals, dashes and brackets."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

from cmaudio.speech.text.abbreviations import (
    ABBREVIATIONS,
    AT_THE_END,
    BEFORE_NUMBERS,
    SPELLED,
    SPELLED_ENDINGS,
    SPOKEN_ENDINGS,
    TITLES,
    initialism,
)
from cmaudio.speech.text.days import RULES as DAYS
from cmaudio.speech.text.measures import RULES as MEASURES
from cmaudio.speech.text.numbers import RULES as NUMBERS
from cmaudio.speech.text.numbers import cardinal, digits, year_or_number
from cmaudio.speech.text.roman_numerals import numbered, of_century, roman
from cmaudio.speech.text.spans import Rule, Span, read, rule
from cmaudio.speech.text.units import unit_name

_SIGNS = {
    "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "±": "plus or minus", "≈": "about", "<": "less than",
    ">": "greater than", "≤": "at most", "≥": "at least", "%": "percent", "&": "and", "@": "at", "§": "section",
    "°": "degrees", "²": "squared", "³": "cubed",
    "$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "₽": "roubles", "¢": "cents", "₹": "rupees", "№": "number",
    "−": "minus", "≠": "is not equal to",
    "∞": "infinity", "™": "", "®": "", "√": "the square root of", "π": "pi", "©": "copyright",
}  # fmt: skip
_OPERATORS = {"<=": "at most", ">=": "at least", "!=": "is not equal to", "==": "equals"}
_BETWEEN_NUMBERS = {"-": "minus", "*": "times", "/": "divided by", "x": "times"}
_DAY = re.compile(r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*")
_ENDING = ".,;:!?…\"'”’»)]}*_~`"
_DASH = re.compile(r"(?<=\w)(?:--+|[–—]+)(?=\w)|[–—]+|--+")
_PIECE = re.compile(r"[^\W\d_²³]+['’]?[^\W\d_²³]*|\d+(?:,\d{3})*(?:\.\d+)?|.")
_SITE = r"(?:[\w-]+\.)+(?:com|org|net|edu|gov|info|io|ai|co|uk|de|fr|ru|eu|us|ca|au|jp)"


def _address(match: re.Match[str]) -> str:
    """A web or mail address, with its signs spoken by name."""
    written = re.sub(r"^https?://", "", match[0])
    names = {
        ".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon", "~": "tilde", "=": "equals",
        "?": "question mark", "&": "and", "+": "plus", "#": "hash", "%": "percent", "!": "exclamation mark",
        "$": "dollar", "*": "star", ";": "semicolon", ",": "comma",
    }  # fmt: skip
    said = [
        names.get(piece) or (digits(piece) if piece.isdecimal() else "W W W" if piece.lower() == "www" else piece)
        for piece in re.findall(r"[A-Za-z]+|\d+|.", written)
    ]
    return " ".join(said)


def _file(match: re.Match[str]) -> str:
    """config.yaml, song2.mp3."""
    *names, ending = match[0].split(".")
    parts = [" ".join(_piece_of_name(piece) for piece in re.findall(r"[A-Za-z]+|\d+", name)) for name in names]
    said = ending if ending in SPOKEN_ENDINGS else " ".join(map(_piece_of_name, re.findall(r"\d+|.", ending)))
    return " dot ".join([*parts, said.upper() if len(said) == 1 else said])


def _piece_of_name(piece: str) -> str:
    if piece.isdecimal():
        return cardinal(piece)
    return piece.upper() if len(piece) == 1 else piece.lower()


def _street(match: re.Match[str]) -> str | None:
    """At the end of a name: Main St, 12 Hill Dr."""
    named = re.search(r"[A-Z][\w'’]* $", match.string[: match.start()])
    return ABBREVIATIONS[f"{match[0].lower()}."] if named else None


def _abbreviation(match: re.Match[str]) -> str | None:
    lower = match[0].lower()
    return ABBREVIATIONS.get(lower) or ABBREVIATIONS.get(f"{lower}.")


def _before_number(match: re.Match[str]) -> str:
    return BEFORE_NUMBERS[match["word"].lower()]


def _power(match: re.Match[str]) -> str:
    return f"{match['letter']} {'plus plus' if match['sign'] == '++' else 'sharp'}"


def _sign(match: re.Match[str]) -> str | None:
    before, after = match.string[: match.start()].rstrip(), match.string[match.end() :].lstrip()
    sign = match[0]
    if sign == "x" and re.search(r"\d ?(?:[a-z]{1,2}|['′\"″])$", before) and after[:1].isdigit():
        return "by"
    if sign in _BETWEEN_NUMBERS:
        return _BETWEEN_NUMBERS[sign] if before[-1:].isdigit() and after[:1].isdigit() else None
    return _SIGNS[sign]


_TIMES = {
    "s": "second", "sec": "second", "min": "minute", "h": "hour", "hr": "hour", "wk": "week", "mo": "month",
    "yr": "year",
}  # fmt: skip


def _rate(match: re.Match[str]) -> str:
    """365 days/yr."""
    return f"{match['what']} per {_TIMES.get(match['time'], match['time'])}"


def _per_unit(match: re.Match[str]) -> str | None:
    """$5/oz, 3%/yr."""
    name = _TIMES.get(match["unit"]) or unit_name(match["unit"])
    return None if name is None else f"per {name}"


def _raised(match: re.Match[str]) -> str:
    """x^2, 10^-3, e^x."""
    base, power = match["base"], match["power"].lstrip("-−")
    said = base if base.isalpha() else cardinal(base)
    if match["power"] in ("2", "3"):
        return f"{said} {'squared' if power == '2' else 'cubed'}"
    sign = "" if power == match["power"] else "minus "
    return f"{said} to the power of {sign}{cardinal(power) if power.isdecimal() else power}"


def _operator(match: re.Match[str]) -> str:
    """Of programs; arrows have no name."""
    return _OPERATORS.get(match[0], "→")


_ANY_SIGN = "".join(map(re.escape, {**_SIGNS, **_BETWEEN_NUMBERS}))
_RULES: tuple[Rule, ...] = (
    rule(rf"https?://\S*[\w/]|www\.\S*[\w/]|[\w.+-]+@{_SITE}|{_SITE}(?:[/?]\S*[\w/])?", _address),
    rule(r"~?/[\w.-]+(?:/[\w.-]+)+/?", _address),
    rule(rf"(?:\w[\w-]*\.)+(?:{'|'.join(SPOKEN_ENDINGS | SPELLED_ENDINGS)})", _file),
    Rule(re.compile(r"\.(?=[A-Z]{3,}(?!\w))"), lambda m: "dot"),
    Rule(re.compile(r"[Nn]os?\.(?= of )"), lambda m: "number"),
    Rule(re.compile(r"(?P<base>[A-Za-z]|\d+(?:\.\d+)?)\^(?P<power>[-−]?(?:\d+|[A-Za-z]))(?!\w)"), _raised),
    rule(r"No (?P<n>\d+)(?=\s|$)", lambda m: f"number {cardinal(m['n'])}"),
    rule(r"#(?P<n>\d+)", lambda m: f"number {cardinal(m['n'])}"),
    rule(r"#(?P<tag>[A-Za-z]\w*)", lambda m: f"hashtag {m['tag']}"),
    Rule(re.compile(r"(?P<letter>[A-Z])(?P<sign>\+\+|#)(?!\w)"), _power),
    Rule(re.compile(rf"(?P<word>{'|'.join(map(re.escape, BEFORE_NUMBERS))})\s*(?=\d)", re.IGNORECASE), _before_number),
    Rule(re.compile(r"b\. ?(?=(?:c\. ?)?\d{4})"), lambda m: "born"),
    Rule(re.compile(r"d\. ?(?=(?:c\. ?)?\d{4})"), lambda m: "died"),
    Rule(re.compile(r"v\.(?= [A-Z])"), lambda m: "versus"),
    Rule(re.compile(r"(?:[<>!=]=|[-=]+>|<[-=]+)(?=\s|$|\w|[-−])"), _operator),
    *DAYS,
    *MEASURES,
    *NUMBERS,
    Rule(re.compile(r"St\.?(?=\s+[A-Z])"), lambda m: "Saint"),
    Rule(re.compile(rf"(?P<title>{'|'.join(map(re.escape, TITLES))})(?=\s+[A-Z])"), lambda m: TITLES[m["title"]]),
    rule(r"(?P<numeral>[IVXLC]+)", numbered),
    Rule(re.compile(r"(?P<numeral>[IVXLC]+)(?=(?:st|nd|rd|th)? [Cc]entur)(?:st|nd|rd|th)?"), of_century),
    Rule(re.compile(r"(?<=[\d%])/(?P<unit>[A-Za-z]{1,4})(?!\w)"), _per_unit),
    Rule(re.compile(r"(?<=[\d%])/(?=[A-Za-z])"), lambda m: "per"),
    rule(r"(?P<what>[a-z]+s)/(?P<time>sec|s|min|hr|h|hour|day|wk|week|mo|month|yr|year)", _rate),
    rule(r"(?:St|Ave|Blvd|Rd|Dr)(?=\s*$)", _street),
    Rule(re.compile(rf"(?:Co|(?i:{'|'.join(AT_THE_END)}))(?=\W*$)"), _abbreviation),
    Rule(re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]\.?(?!\w)|(?:Ph\.? ?D|[BM]\.Sc)\b\.?|[A-Za-z]+\.(?!\w)"), _abbreviation),
    Rule(re.compile(r"(?:[A-Za-z]\.)+[A-Za-z](?!\w)\.?"), lambda m: initialism(m[0].replace(".", ""))),
    Rule(re.compile(rf"[{_ANY_SIGN}](?=\s|$|[\w$€£¥])"), _sign),
)  # fmt: skip


def _dash(text: str, dash: re.Match[str]) -> str:
    """A pause; a closed en dash connects: London–Paris, Monday–Friday."""
    before, after = text[: dash.start()], text[dash.end() :]
    if dash[0] != "–" or not (before[-1:].isalnum() and after[:1].isalnum()):
        return "—"
    from_day, to_day = re.search(r"\w+$", before), re.match(r"\w+", after)
    dates = from_day is not None and to_day is not None and _DAY.match(from_day[0]) and _DAY.match(to_day[0])
    return "to" if dates else ""


class English:
    """Reads one phrase at a time.

    Args:
        known: whether the lexicon has a word (in lower case); capitals that it lacks are spelled.
    """

    def __init__(self, known: Callable[[str], bool]) -> None:
        self._known = known

    def read(self, text: str) -> list[Span]:
        """The spans of a phrase, in order."""
        return list(read(text, _RULES, self._word))

    def _word(self, text: str, start: int, end: int) -> Iterator[Span]:
        """A token of letters and signs: a pause at dashes, and mixed letters and digits piece by piece."""
        while end > start and text[end - 1] in _ENDING:
            end -= 1
        at = start
        for dash in _DASH.finditer(text, start, end):
            yield from self._plain(text, at, dash.start())
            yield Span(dash.start(), dash.end(), _dash(text, dash))
            at = dash.end()
        yield from self._plain(text, at, end)
        rest = text[end:]
        yield from self._ending(rest[: len(rest) - len(rest.lstrip(_ENDING))], end)

    def _ending(self, signs: str, at: int) -> Iterator[Span]:
        for i, sign in enumerate(signs):
            if sign in ",;:)":
                yield Span(at + i, at + i + 1, ",")

    def _plain(self, text: str, start: int, end: int) -> Iterator[Span]:
        if end > start:
            word = text[start:end]
            yield Span(start, end, self._spelled(word, word.isupper() and self._shouted(text, start, end)))

    def _shouted(self, text: str, start: int, end: int) -> bool:
        """Whether a word beside `text[start:end]` is in capitals without being an abbreviation."""
        neighbours = (re.search(r"[A-Za-z]+(?=\W*$)", text[:start]), re.search(r"[A-Za-z]+", text[end:]))
        words = [word[0] for word in neighbours if word is not None and len(word[0]) > 1 and word[0].isupper()]
        return any(self._known(word.lower()) and word.lower() not in SPELLED for word in words)

    def _spelled(self, word: str, shouted: bool) -> str:
        if word.lower() in ABBREVIATIONS and word.lower() not in SPELLED:
            return ABBREVIATIONS[word.lower()]
        if any(c.isdecimal() for c in word) or "&" in word or any(c in _SIGNS for c in word):
            return " ".join(filter(None, map(self._piece, _PIECE.findall(word))))
        parts = re.split(r"[-‐‑/]", word)
        return " ".join(self._capitals(part, shouted) for part in parts if part)

    def _piece(self, piece: str) -> str:
        if piece[0].isdecimal():
            return year_or_number(piece)
        if piece.isalpha() and (piece.isupper() or len(piece) == 1):
            return initialism(piece) if len(piece) > 1 else piece
        if piece.isalpha() and not self._known(piece.lower()) and len(piece) <= 3:
            return initialism(piece)  # mp3
        named = piece[0].isalpha() or unicodedata.category(piece[0])[0] in "SN"  # a sign without a name is reported
        return _SIGNS.get(piece, piece if named else "")

    def _capitals(self, word: str, shouted: bool) -> str:
        """A word in capitals: a word of the lexicon, unless it is always spelled; otherwise its letters."""
        stem = re.sub(r"['’]?s$", "", word)
        plural = word[len(stem) :]
        if len(stem) < 2 or not stem.isupper() or not stem.isalpha():
            return word
        lower = stem.lower()
        if self._known(lower) and (lower not in SPELLED or (shouted and SPELLED[lower])):
            return lower + plural
        if len(stem) > 2 and (value := roman(stem)) is not None:
            return cardinal(str(value)) + plural
        return initialism(stem) + ("'s" if plural else "")
