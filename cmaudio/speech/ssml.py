"""A strict subset of SSML 1.1 (W3C, 2010): its plain text, and the settings of its parts.

Elements: speak, p, s, break, sub, say-as, phoneme (IPA), emphasis, prosody (rate, pitch, volume), mark. Anything else
is an error that names it, so that nothing is silently ignored.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from cmaudio.errors import CmaudioError
from cmaudio.speech.phonemes import PLAIN, Delivery, Phrase, Word, pause
from cmaudio.speech.pronunciations import MAX_IPA, MAX_WORD
from cmaudio.speech.text.numbers import cardinal, digits, in_words, ordinal

MAX_LETTERS = 200_000
_MAX_DEPTH = 32
_NO_WORD = r"[\[\]\s]+"
_BREAKS = {"none": 0.0, "x-weak": 0.05, "weak": 0.12, "medium": 0.3, "strong": 0.6, "x-strong": 1.0}
_BREAK_RANGE_SECONDS = (0.0, 10.0)
_EMPHASIS = {
    "strong": Delivery(rate=0.85, pitch=2.0, energy=3.0),
    "moderate": Delivery(rate=0.93, pitch=1.0, energy=1.5),
    "none": PLAIN,
    "reduced": Delivery(rate=1.1, pitch=-1.0, energy=-2.0),
}
_RATES = {"x-slow": 0.5, "slow": 0.75, "medium": 1.0, "fast": 1.3, "x-fast": 1.7, "default": 1.0}
_PITCHES = {"x-low": -6.0, "low": -3.0, "medium": 0.0, "high": 3.0, "x-high": 6.0, "default": 0.0}
_VOLUMES = {"silent": -60.0, "x-soft": -12.0, "soft": -6.0, "medium": 0.0, "loud": 4.0, "x-loud": 8.0, "default": 0.0}
_RANGES = {"rate": (0.25, 4.0), "pitch": (-24.0, 24.0), "volume": (-60.0, 20.0)}
_SAY_AS: Mapping[str, Callable[[str], str]] = {
    "characters": lambda text: " ".join(text.upper()),
    "spell-out": lambda text: " ".join(text.upper()),
    "digits": digits,
    "telephone": digits,
    "cardinal": cardinal,
    "number": cardinal,
    "ordinal": lambda text: in_words(text if text[-1:].isalpha() else ordinal(int(text.replace(",", "")))),
    "date": in_words,
    "time": in_words,
}


@dataclass
class Document:
    """The content of an SSML document.

    Attributes:
        text: as plain text.
        deliveries: (start, end, delivery) of parts of the text with their own delivery, outer before inner.
        breaks: (offset, seconds) of pauses before an offset.
        marks: (offset, name).
    """

    text: str = ""
    deliveries: list[tuple[int, int, Delivery]] = field(default_factory=list)
    breaks: list[tuple[int, float]] = field(default_factory=list)
    marks: list[tuple[int, str]] = field(default_factory=list)

    def apply(self, phrases: Iterable[Phrase]) -> Iterator[Phrase]:
        """The phrases of the text, with deliveries, breaks and marks on their words."""
        breaks, marks, deliveries = deque(self.breaks), deque(self.marks), _Deliveries(self.deliveries)
        for phrase in phrases:
            words: list[Word] = []
            for word in phrase.words:
                if word.start >= 0:
                    while breaks and breaks[0][0] <= word.start:
                        _pause(words, breaks.popleft()[1])
                    names = tuple(_taken(marks, word.start))
                    word = replace(word, delivery=deliveries.at(word.start), marks=names)
                words.append(word)
            end = max((word.end for word in phrase.words), default=0)
            if breaks and end <= breaks[0][0] and not self._says_anything(end, breaks[0][0]):
                _pause(words, breaks.popleft()[1])
            if marks and not self._says_anything(end, len(self.text)):
                words[-1] = replace(words[-1], marks=tuple(_taken(marks, len(self.text))))
            yield replace(phrase, words=tuple(words))

    def _says_anything(self, start: int, end: int) -> bool:
        return any(self.text[at].isalnum() for at in range(max(start, 0), min(end, len(self.text))))


class _Deliveries:
    """Looks up the combined delivery at ascending offsets, clamped to the ranges of a voice.

    Args:
        parts: (start, end, delivery), nested, outer before inner.
    """

    def __init__(self, parts: Iterable[tuple[int, int, Delivery]]) -> None:
        self._ahead = deque(sorted(parts, key=lambda part: part[0]))
        self._inside: list[tuple[int, Delivery]] = []  # their ends

    def at(self, offset: int) -> Delivery:
        """The delivery of a word that starts at `offset`."""
        while self._ahead and self._ahead[0][0] <= offset:
            _, end, delivery = self._ahead.popleft()
            self._inside.append((end, delivery))
        self._inside = [part for part in self._inside if part[0] > offset]
        together = PLAIN
        for _, delivery in self._inside:
            together = together.with_(delivery)
        return Delivery(
            _within("rate", together.rate), _within("pitch", together.pitch), _within("volume", together.energy)
        )


def _within(attribute: str, amount: float) -> float:
    low, high = _RANGES[attribute]
    return max(low, min(high, amount))


def _taken(marks: deque[tuple[int, str]], until: int) -> Iterator[str]:
    """Take the names of the marks up to an offset."""
    while marks and marks[0][0] <= until:
        yield marks.popleft()[1]


def _pause(words: list[Word], seconds: float) -> None:
    """Set the duration of the pause at the end of some words, adding a pause if necessary."""
    if words and words[-1].is_pause:
        words[-1] = replace(words[-1], seconds=seconds)
    else:
        words.append(replace(pause(","), seconds=seconds))


def parse_ssml(source: str) -> Document:
    """Read an SSML document.

    Raises:
        CmaudioError: XML that is not well-formed, elements or values outside the subset (with what is allowed).
    """
    if len(source) > MAX_LETTERS:
        raise CmaudioError(f"this SSML has {len(source)} letters; at most {MAX_LETTERS} are allowed: split it")
    if re.search(r"<!\s*(?:DOCTYPE|ENTITY)", source, re.IGNORECASE):
        raise CmaudioError("SSML with a DOCTYPE or its own entities is not supported; remove the declaration")
    try:
        root = ElementTree.fromstring(source)
    except ElementTree.ParseError as error:
        raise CmaudioError(
            f"this SSML is not well-formed ({error}); every tag must be closed, & written as &amp;"
        ) from error
    if _name(root) != "speak":
        raise CmaudioError(f"SSML must begin with <speak>, not <{_name(root)[:40]}>")
    return _Walk().document(root)


class _Walk:
    """Walks the elements and collects their content."""

    def __init__(self) -> None:
        self._document = Document()
        self._pieces: list[str] = []
        self._length = 0

    def document(self, root: ElementTree.Element) -> Document:
        """The content of a document."""
        self._element(root, 0)
        self._document.text = "".join(self._pieces)
        self._document.deliveries.reverse()  # they are added when they end, the outer ones last
        return self._document

    def _element(self, element: ElementTree.Element, depth: int) -> None:
        """Add an element with its content."""
        if depth > _MAX_DEPTH:
            raise CmaudioError(f"this SSML is nested more than {_MAX_DEPTH} deep")
        name, start = _name(element), self._length
        if name == "break":
            self._document.breaks.append((start, _break_seconds(element)))
            self._text(" ")  # no word continues across a pause
        elif name == "mark":
            self._document.marks.append((start, _required(element, "name")))
        elif name in ("sub", "say-as", "phoneme"):
            self._text(_replaced(name, element))
        elif name in ("speak", "p", "s", "emphasis", "prosody"):
            self._inside(element, depth)
            delivery = _delivery(name, element)
            if delivery != PLAIN:
                self._document.deliveries.append((start, self._length, delivery))
            if name in ("p", "s"):
                self._text("\n\n")
        else:
            allowed = "speak, p, s, break, sub, say-as, phoneme, emphasis, prosody, mark"
            raise CmaudioError(f"<{name[:40]}> is not a supported SSML element; supported: {allowed}")

    def _inside(self, element: ElementTree.Element, depth: int) -> None:
        self._text(element.text or "")
        for child in element:
            self._element(child, depth + 1)
            self._text(child.tail or "")

    def _text(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)


def _name(element: ElementTree.Element) -> str:
    return str(element.tag).rpartition("}")[2]


def _required(element: ElementTree.Element, attribute: str) -> str:
    value = element.get(attribute)
    if not value:
        raise CmaudioError(f"<{_name(element)}> needs the attribute {attribute!r}")
    return value


def _replaced(name: str, element: ElementTree.Element) -> str:
    """The spoken text of an element that contains only text."""
    if len(element):
        raise CmaudioError(f"<{name}> may contain only text, not <{_name(element[0])[:40]}>")
    text = (element.text or "").strip()
    if name == "sub":
        return _required(element, "alias")
    if name == "phoneme":
        alphabet = element.get("alphabet", "ipa")
        if alphabet != "ipa":
            raise CmaudioError(f"<phoneme> takes alphabet 'ipa', not {alphabet[:40]!r}")
        ipa = " ".join(_required(element, "ph").split())
        if "/" in ipa or not 1 <= len(ipa) <= MAX_IPA:
            raise CmaudioError(f"<phoneme> takes a ph of 1 to {MAX_IPA} letters of IPA without /, not {ipa[:40]!r}")
        return f"[{re.sub(_NO_WORD, '-', text)[:MAX_WORD] or '-'}](/{ipa}/)"
    kind = _required(element, "interpret-as")
    if kind not in _SAY_AS:
        raise CmaudioError(f"<say-as> takes interpret-as {', '.join(map(repr, _SAY_AS))}, not {kind[:40]!r}")
    try:
        return _SAY_AS[kind](text)
    except (ValueError, KeyError) as error:
        raise CmaudioError(f"{text[:40]!r} cannot be read as {kind!r}") from error


def _break_seconds(element: ElementTree.Element) -> float:
    if (time := element.get("time")) is not None:
        found = re.fullmatch(r"\+?(\d+(?:\.\d+)?)(ms|s)", time.strip())
        seconds = float(found[1]) / (1000 if found[2] == "ms" else 1) if found else -1.0
        if not _BREAK_RANGE_SECONDS[0] <= seconds <= _BREAK_RANGE_SECONDS[1]:
            raise CmaudioError(f"<break> takes a time from '0s' to '10s' ('250ms', '1.5s'), not {time[:40]!r}")
        return seconds
    return _named("break", "strength", element.get("strength", "medium"), _BREAKS)


def _delivery(name: str, element: ElementTree.Element) -> Delivery:
    if name == "emphasis":
        level = element.get("level", "moderate")
        if level not in _EMPHASIS:
            raise CmaudioError(f"<emphasis> takes level {', '.join(map(repr, _EMPHASIS))}, not {level[:40]!r}")
        return _EMPHASIS[level]
    if name != "prosody":
        return PLAIN
    unknown = set(element.attrib) - {"rate", "pitch", "volume"}
    if unknown:
        raise CmaudioError(f"<prosody> takes rate, pitch and volume, not {min(unknown)[:40]!r}")
    return Delivery(
        rate=_amount("rate", element.get("rate", "default"), _RATES, r"(\d+(?:\.\d+)?)%", lambda x: x / 100),
        pitch=_amount("pitch", element.get("pitch", "default"), _PITCHES, r"([+-]\d+(?:\.\d+)?)st", lambda x: x),
        energy=_amount("volume", element.get("volume", "default"), _VOLUMES, r"([+-]\d+(?:\.\d+)?)dB", lambda x: x),
    )


def _amount(
    attribute: str, value: str, names: Mapping[str, float], pattern: str, scale: Callable[[float], float]
) -> float:
    found = re.fullmatch(pattern, value.strip())
    if not found:
        return _named("prosody", attribute, value, names)
    low, high = _RANGES[attribute]
    amount = scale(float(found[1]))
    if not low <= amount <= high:
        raise CmaudioError(f"<prosody> {attribute} {value!r} is out of range: {low:g} to {high:g}")
    return amount


def _named(element: str, attribute: str, value: str, names: Mapping[str, float]) -> float:
    if value not in names:
        forms = {"rate": ", or '120%'", "pitch": ", or '+2st'", "volume": ", or '-6dB'"}.get(attribute, "")
        raise CmaudioError(f"<{element}> takes {attribute} {', '.join(map(repr, names))}{forms}, not {value[:40]!r}")
    return names[value]
