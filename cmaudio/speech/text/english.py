"""English as it is read aloud: signs, abbreviations, initials, capitals, Roman numerals, dashes and brackets."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from cmaudio.speech.text.abbreviations import ABBREVIATIONS, BEFORE_NUMBERS, SPELLED, TITLES, initialism
from cmaudio.speech.text.numbers import RULES as NUMBERS
from cmaudio.speech.text.numbers import cardinal, digits, in_words
from cmaudio.speech.text.spans import Rule, Span, read, rule

_SIGNS = {
    "+": "plus", "=": "equals", "×": "times", "÷": "divided by", "±": "plus or minus", "≈": "about", "<": "less than",
    ">": "greater than", "≤": "at most", "≥": "at least", "%": "percent", "&": "and", "@": "at", "§": "section",
    "°": "degrees", "²": "squared", "³": "cubed",
    "$": "dollars", "€": "euros", "£": "pounds", "¥": "yen", "№": "number", "−": "minus",
}  # fmt: skip
_BETWEEN_NUMBERS = {"-": "minus", "*": "times", "/": "divided by", "x": "times"}
_NUMBERED = frozenset(
    "act article book chapter class episode figure grade king level mark number page part phase pope psalm queen "
    "round rocky season section series stage step title tome type volume war".split()
)  # fmt: skip
_ROMAN = re.compile(r"(?=[IVXLC])(?:X{0,3}|XL|LX{0,3}|XC|C{1,3})(?:IX|IV|V?I{0,3})")
_VALUES = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100}
_ENDING = ".,;:!?…\"'”’»)]}*_~`"
_DASH = re.compile(r"(?<=\w)(?:--+|[–—]+)(?=\w)|[–—]+|--+")
_PIECE = re.compile(r"[^\W\d_²³]+['’]?[^\W\d_²³]*|\d+(?:,\d{3})*(?:\.\d+)?|.")
_SITE = r"(?:[\w-]+\.)+(?:com|org|net|edu|gov|info|io|ai|co|uk|de|fr|ru|eu|us|ca|au|jp)"


def _address(match: re.Match[str]) -> str:
    """A web or mail address, its signs by name."""
    written = re.sub(r"^https?://", "", match[0])
    names = {".": "dot", "/": "slash", "-": "dash", "_": "underscore", "@": "at", ":": "colon", "~": "tilde"}
    said = [
        names.get(piece) or (digits(piece) if piece.isdecimal() else "W W W" if piece.lower() == "www" else piece)
        for piece in re.findall(r"[A-Za-z]+|\d+|.", written)
    ]
    return " ".join(said)


def roman(written: str) -> int | None:
    """The value of a Roman numeral below 400 in its usual form; None for anything else."""
    if not _ROMAN.fullmatch(written):
        return None
    values = [_VALUES[letter] for letter in written]
    return sum(-v if v < after else v for v, after in zip(values, [*values[1:], 0], strict=True))


def _numbered(match: re.Match[str]) -> str | None:
    """Chapter IV, Louis XIV, World War I; not "I" after any other word."""
    name, numeral = match["name"], match["numeral"]
    value = roman(numeral)
    if value is None:
        return None
    if name.lower() in _NUMBERED:
        return f"{name} {cardinal(str(value))}"
    if len(numeral) < 2 or not name[0].isupper() or name.isupper():
        return None
    return f"{name} the {in_words(_ordinal(value))}"


def _ordinal(value: int) -> str:
    ending = "th" if value % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(value % 10, "th")
    return f"{value}{ending}"


def _street(match: re.Match[str]) -> str | None:
    """At the end of a name: Main St, 12 Hill Dr."""
    named = re.search(r"[A-Z][\w'’]* $", match.string[: match.start()])
    return ABBREVIATIONS[f"{match[0].lower()}."] if named else None


def _title(match: re.Match[str]) -> str:
    return f"{TITLES[match['title']]} {match['name']}"


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
    if sign in _BETWEEN_NUMBERS:
        return _BETWEEN_NUMBERS[sign] if before[-1:].isdigit() and after[:1].isdigit() else None
    return _SIGNS[sign]


_ANY_SIGN = "".join(map(re.escape, {**_SIGNS, **_BETWEEN_NUMBERS}))
_RULES: tuple[Rule, ...] = (
    rule(rf"https?://\S*[\w/]|www\.\S*[\w/]|[\w.+-]+@{_SITE}|{_SITE}(?:/[\w./-]*\w)?", _address),
    rule(r"#(?P<n>\d+)", lambda m: f"number {cardinal(m['n'])}"),
    rule(r"#(?P<tag>[A-Za-z]\w*)", lambda m: f"hashtag {m['tag']}"),
    Rule(re.compile(r"(?P<letter>[A-Z])(?P<sign>\+\+|#)(?!\w)"), _power),
    Rule(re.compile(rf"(?P<word>{'|'.join(map(re.escape, BEFORE_NUMBERS))})\s*(?=\d)", re.IGNORECASE), _before_number),
    *NUMBERS,
    Rule(re.compile(r"St\.? (?P<name>[A-Z][a-z]+)"), lambda m: f"Saint {m['name']}"),
    Rule(re.compile(rf"(?P<title>{'|'.join(map(re.escape, TITLES))}) (?P<name>[A-Z][\w'’-]*)"), _title),
    rule(r"(?P<name>[A-Za-z]+) (?P<numeral>[IVXLC]+)", _numbered),
    rule(r"(?:St|Ave|Blvd|Rd|Dr)(?=\s*$)", _street),
    Rule(re.compile(r"(?:[A-Za-z]\.)+[A-Za-z]\.?(?!\w)|Ph\.? ?D\.?(?!\w)|[A-Za-z]+\.(?!\w)"), _abbreviation),
    Rule(re.compile(r"(?:[A-Za-z]\.)+[A-Za-z](?!\w)\.?"), lambda m: initialism(m[0].replace(".", ""))),
    Rule(re.compile(rf"[{_ANY_SIGN}](?=\s|$|[\w$€£¥])"), _sign),
)  # fmt: skip


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
        """A token of letters and signs: at dashes a pause, what mixes letters and digits piece by piece."""
        while end > start and text[end - 1] in _ENDING:
            end -= 1
        at = start
        for dash in _DASH.finditer(text, start, end):
            yield from self._plain(text, at, dash.start())
            yield Span(dash.start(), dash.end(), "—")
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
            yield Span(start, end, self._said(word, text))

    def _said(self, word: str, text: str) -> str:
        if word.lower() in ABBREVIATIONS and word.lower() not in SPELLED:
            return ABBREVIATIONS[word.lower()]
        if any(c.isdecimal() for c in word) or "&" in word or any(c in _SIGNS for c in word):
            return " ".join(filter(None, map(self._piece, _PIECE.findall(word))))
        parts = re.split(r"[-‐‑/]", word)
        return " ".join(self._capitals(part, text) for part in parts if part)

    def _piece(self, piece: str) -> str:
        if piece[0].isdecimal():
            return cardinal(piece)
        if piece.isalpha() and (piece.isupper() or len(piece) == 1):
            return initialism(piece) if len(piece) > 1 else piece
        if piece.isalpha() and not self._known(piece.lower()) and len(piece) <= 3:
            return initialism(piece)  # mp3
        return _SIGNS.get(piece, piece if piece[0].isalpha() else "")

    def _capitals(self, word: str, text: str) -> str:
        """A word in capitals: a word of the lexicon, unless it is one that is always spelled; else its letters."""
        stem = re.sub(r"['’]?s$", "", word)
        plural = word[len(stem) :]
        if len(stem) < 2 or not stem.isupper() or not stem.isalpha():
            return word
        shouted = sum(w.isupper() and len(w) > 1 for w in re.findall(r"[A-Za-z]+", text)) > 1
        lower = stem.lower()
        if self._known(lower) and (lower not in SPELLED or (shouted and SPELLED[lower])):
            return lower + plural
        return initialism(stem) + ("'s" if plural else "")
