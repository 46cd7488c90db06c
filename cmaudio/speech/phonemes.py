"""Phonemes, words and phrases: the form of a text before synthesis. Symbols are IPA in gruut's notation."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

from cmaudio.errors import CmaudioError

EDGE = ""  # the silence before a text
PAUSES = (",", ".", "?", "!")  # phrase endings, each with its own intonation and silence
STRESSES = {"ˈ": 1, "ˌ": 2}
MAX_PHONEMES = 2000  # between two pauses; the prosody network takes them at once
_PAUSE_OF = {";": ",", ":": ",", "—": ",", "–": ",", "…": ".", "|": ",", "‖": "."}
PAUSE_MARKS = frozenset((*PAUSES, *_PAUSE_OF))


@dataclass(frozen=True, slots=True)
class Phoneme:
    """A symbol, its stress (0 none, 1 primary, 2 secondary), whether a word begins with it. Pauses are phonemes too."""

    symbol: str
    stress: int = 0
    begins_word: bool = False

    @classmethod
    def of(cls, text: str) -> Phoneme:
        """From IPA with a stress mark in front of it, e.g. "ˈoʊ", and a space before that where a word begins."""
        sound = text.removeprefix(" ")
        stress = STRESSES.get(sound[:1], 0)
        return cls(sound[1:] if stress else sound, stress, sound != text)

    @property
    def is_pause(self) -> bool:
        return self.symbol in PAUSES or self.symbol == EDGE

    @property
    def written(self) -> str:
        """What `of` reads."""
        return " " * self.begins_word + str(self)

    def __str__(self) -> str:
        return {0: "", 1: "ˈ", 2: "ˌ"}[self.stress] + self.symbol


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a word is spoken in its context: `rate` times as fast, `pitch` semitones higher, `energy` dB louder."""

    rate: float = 1.0
    pitch: float = 0.0
    energy: float = 0.0

    def with_(self, inner: Delivery) -> Delivery:
        """Both deliveries combined."""
        return Delivery(self.rate * inner.rate, self.pitch + inner.pitch, self.energy + inner.energy)


PLAIN = Delivery()


@dataclass(frozen=True, slots=True)
class Word:
    """A spoken word, or a punctuation mark, which is one pause. Its first phoneme is marked as the start of a word.

    Attributes:
        text: the word, or the mark.
        phonemes: its pronunciation.
        start: offset of its source in the whole text; -1 for a word without one.
        end: the offset after its source; -1 for a word without one.
        delivery: how it is spoken relative to its context.
        seconds: duration of a pause at rate 1; None: the voice decides.
        marks: names that are reported when it starts.
    """

    text: str
    phonemes: tuple[Phoneme, ...]
    start: int = -1
    end: int = -1
    delivery: Delivery = PLAIN
    seconds: float | None = None
    marks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        marked = (replace(p, begins_word=not (i or p.is_pause)) for i, p in enumerate(self.phonemes))
        object.__setattr__(self, "phonemes", tuple(marked))

    @property
    def is_pause(self) -> bool:
        return self.phonemes[0].is_pause


@dataclass(frozen=True)
class Phrase:
    """Words up to and including a pause. `unspoken`: parts of the text that could not be spoken, and why."""

    words: tuple[Word, ...]
    unspoken: tuple[str, ...] = ()

    @property
    def phonemes(self) -> list[Phoneme]:
        return [phoneme for word in self.words for phoneme in word.phonemes]

    @property
    def silent(self) -> bool:
        """Whether it contains only pauses."""
        return all(phoneme.is_pause for phoneme in self.phonemes)

    def known(self, symbols: Iterable[str]) -> Phrase:
        """The phrase without phonemes that are not in `symbols`; these are reported."""
        known = set(symbols)
        words, lost = [], []
        for word in self.words:
            kept = tuple(phoneme for phoneme in word.phonemes if phoneme.symbol in known)
            lacking = [phoneme for phoneme in word.phonemes if phoneme.symbol not in known]
            lost += [f"{phoneme} in {word.text[:40]!r}: this voice has no such phoneme" for phoneme in lacking]
            if kept:
                words.append(replace(word, phonemes=kept))
        return self if not lost else Phrase(tuple(words), (*self.unspoken, *lost))


def pause(mark: str) -> Word:
    """A punctuation mark as a pause."""
    symbol = mark if mark in PAUSES else _PAUSE_OF.get(mark, ",")
    return Word(mark, (Phoneme(symbol),))


def parse_phonemes(text: str, symbols: Sequence[str]) -> Iterator[Phrase]:
    """Phrases of a text in IPA, such as "həlˈoʊ, wˈɚld!": words apart by spaces, stress before the vowel it is on.

    The longest matching symbol is used.

    Raises:
        CmaudioError: names what none of the `symbols` begins with; more than 2000 phonemes without a pause.
    """
    marks = "".join(PAUSES) + "".join(_PAUSE_OF)
    words: list[Word] = []
    count = 0
    for match in re.finditer(rf"[{re.escape(marks)}]|[^\s{re.escape(marks)}]+", text):
        written = match[0]
        if written in marks:
            yield Phrase((*words, pause(written)))
            words, count = [], 0
            continue
        words.append(Word(written, spell(written, symbols)))
        count += len(words[-1].phonemes)
        if count > MAX_PHONEMES:
            raise CmaudioError(
                f"more than {MAX_PHONEMES} phonemes without a pause, before {text[match.end() :][:20]!r}; "
                "put a comma or a full stop between them"
            )
    if words:
        yield Phrase((*words, pause(".")))


def spell(written: str, symbols: Sequence[str]) -> tuple[Phoneme, ...]:
    """The phonemes of one word in IPA; the longest matching symbol is used.

    Raises:
        CmaudioError: names what none of the symbols begins with.
    """
    sounds, token = _sounds(tuple(symbols))
    phonemes: list[Phoneme] = []
    at = 0
    while at < len(written) and len(phonemes) <= MAX_PHONEMES:
        found = token.match(written, at)
        if found is None:
            raise CmaudioError(
                f"{written[at:][:20]!r} in {written[:40]!r} is not a phoneme of this voice; it has "
                + " ".join(sorted(sounds))
                + ", stressed by ˈ or ˌ before them"
            )
        phonemes.append(Phoneme(found[2], STRESSES.get(found[1], 0)))
        at = found.end()
    return tuple(phonemes)


@cache
def _sounds(symbols: tuple[str, ...]) -> tuple[list[str], re.Pattern[str]]:
    """The sounds among a voice's symbols, longest first, and what matches one of them with its stress."""
    sounds = sorted((symbol for symbol in symbols if symbol and symbol not in PAUSES), key=len, reverse=True)
    return sounds, re.compile(rf"([ˈˌ]?)({'|'.join(map(re.escape, sounds))})")
