"""Text to phonemes: a reader normalises the text, gruut transcribes it, exceptions correct it."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

from cmaudio.errors import CmaudioError
from cmaudio.speech import russian
from cmaudio.speech.exceptions import exceptions
from cmaudio.speech.given import Given, own_words
from cmaudio.speech.gruut_processor import Processor, resolve
from cmaudio.speech.phonemes import PAUSES, Phoneme, Phrase, Word, pause
from cmaudio.speech.phrases import read_phrases
from cmaudio.speech.pronunciations import Pronunciations
from cmaudio.speech.russian_spelling import STRESS, RussianWords
from cmaudio.speech.text.english import English
from cmaudio.speech.text.russian import Russian
from cmaudio.speech.text.spans import Span

MAX_LETTERS = 60  # of a word
_MARKUP = re.compile(r"</?[A-Za-z!?][^<>]*>|&[a-z]+;|&#\d+;")
_SCRIPTS = {"ru": "CYRILLIC", "uk": "CYRILLIC", "fa": "ARABIC", "ar": "ARABIC", "el": "GREEK"}
_SAID_SIGNS = frozenset("%$€£¥₽&@+=°№¢#§×÷±≈")
_SILENT_SIGNS = frozenset("\"'“”‘’«»„()[]{}*_~/\\|<>^`´-‐‑–—.,;:!?…¿¡•·")
_DASHES = frozenset("-‐‑–—")
_SUBSCRIPTS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")  # H₂O
_LONG_WORD = re.compile(rf"\S{{{MAX_LETTERS + 1},}}")
_LONG_NUMBER = re.compile(r"\d{13,}")  # read digit by digit
# Function words, unstressed in running speech; the lexicon gives their isolated form.
_UNSTRESSED = {
    "en": frozenset(
        "a an the and or but nor so as at by for from in of on to with than that is are was were be been am has have "
        "had do does did can could will would shall should may might must he she it they we you i him her them us me "
        "his its their our your my who which if when while there this these".split()
    )
}


class Reader(Protocol):
    """The text normalisation of one language."""

    def read(self, text: str) -> list[Span]:
        """The spans of a phrase, each with its spoken words, in order."""


class _Verbatim:
    """Leaves numbers and signs to gruut: for languages without their own reader."""

    def read(self, text: str) -> list[Span]:
        spans = []
        for match in re.finditer(r"\S+", text):
            spoken = _LONG_NUMBER.sub(lambda number: " ".join(number[0]), match[0])
            if _SILENT_SIGNS.issuperset(spoken):
                spoken = "," if _DASHES.intersection(spoken) else ""
            spans.append(Span(match.start(), match.end(), spoken))
        return spans


@dataclass(frozen=True)
class _Spoken:
    """The input for gruut, and the span from which each of its characters comes."""

    text: str
    spans: list[Span]
    origins: list[int]  # index into spans for each character of text

    def origin(self, word: str, at: int) -> tuple[Span, int]:
        """The span of gruut's next word, searched from character `at` on, and the position after the word."""
        found = self.text.lower().find(word.lower(), at)
        start = found if found >= 0 else at
        span = self.spans[self.origins[min(start, len(self.origins) - 1)]]
        return span, start + len(word) if found >= 0 else at


class Language:
    """The front end of one language; may be used from any thread.

    Args:
        code: the language, e.g. "en-us" or "ru-ru".
    Raises:
        CmaudioError: gruut or its data for the language is not installed; names what to install.
    """

    def __init__(self, code: str) -> None:
        self.code, self._base = resolve(code)
        self._processor: Processor | RussianWords
        try:
            self._processor = RussianWords() if self._base == "ru" else Processor(self.code)
        except Exception as error:  # raised by gruut for a language with data but without rules
            raise CmaudioError(f"gruut cannot read language {code!r} ({error})") from error
        self._script = _SCRIPTS.get(self._base, "LATIN")
        self._exceptions = exceptions(self._base)
        self._reader = self._text_reader()
        self._verbatim = isinstance(self._reader, _Verbatim)
        self._lock = threading.Lock()  # gruut's lexicon is one connection to a database

    def _text_reader(self) -> Reader:
        if isinstance(self._processor, RussianWords):
            return Russian()
        return English(self._knows) if self._base == "en" else _Verbatim()

    def _knows(self, word: str) -> bool:
        assert isinstance(self._processor, Processor)  # which Russian has not
        return word in self._exceptions or self._processor.knows(word)

    def phrases(self, pieces: Iterable[str], pronunciations: Pronunciations | None = None) -> Iterator[Phrase]:
        """The phrases of a text that arrives in pieces, each as soon as its end is known.

        Args:
            pieces: the text; how it is split does not matter.
            pronunciations: the user's own, before the lexicon's; without them, inline IPA is not read.
        Yields:
            phrases; a silent one only where it reports something unspoken.
        """
        for text, mark, start in read_phrases(pieces):
            phrase = self.phrase(text, mark, start, pronunciations)
            if not phrase.silent or phrase.unspoken:
                yield phrase

    def phrase(
        self, text: str, mark: str = ".", start: int = 0, pronunciations: Pronunciations | None = None
    ) -> Phrase:
        """One phrase. What cannot be spoken is left out and reported.

        Args:
            text: the phrase without the mark that ends it.
            mark: that mark.
            start: offset of the phrase in the whole text.
            pronunciations: the user's own, before the lexicon's.
        """
        plain, own = own_words(text.translate(_SUBSCRIPTS), pronunciations, self._base)
        spoken, unspoken = self._spoken(plain)
        given = Given(self._base, self._exceptions, pronunciations, own)
        try:
            words = self._read(spoken, start, given, unspoken)
        except Exception:  # gruut's rules for numbers, dates and the like fail on some texts
            words = [word for part in _alone(spoken) for word in self._read_alone(part, start, given, unspoken)]
        while words and words[-1].is_pause:
            words.pop()
        while words and words[0].is_pause:
            del words[0]
        if self._base == "ru":
            words = russian.pronounce(words)
        return Phrase((*words, pause(mark)), tuple(unspoken))

    def _read(self, spoken: _Spoken, start: int, given: Given, unspoken: list[str]) -> list[Word]:
        words: list[Word] = []
        at = 0
        with self._lock:
            for found in self._processor.words(spoken.text):
                span, at = spoken.origin(found.text, at)
                text = found.text.replace(STRESS, "")
                word = self._word(given.written(text, span), found.phonemes or (), given.phonemes(text, span))
                if word is not None:
                    words.append(replace(word, start=start + span.start, end=start + span.end))
                elif found.is_spoken:
                    unspoken.append(f"{found.text[:40]!r}: no pronunciation")
        return words

    def _read_alone(self, spoken: _Spoken, start: int, given: Given, unspoken: list[str]) -> list[Word]:
        try:
            return self._read(spoken, start, given, unspoken)
        except Exception as error:
            unspoken.append(f"{spoken.text[:40]!r}: cannot be read ({type(error).__name__})")
            return []

    def _word(self, text: str, phonemes: Iterable[Any], given: tuple[Phoneme, ...] | None) -> Word | None:
        said = [p for p in phonemes if p]
        if said and said[0] in ("|", "‖"):
            return pause(text if text in PAUSES else said[0])
        if given is not None:
            return Word(text, given)
        if not said:
            return None
        sounds = tuple(map(Phoneme.of, said))
        if text.lower() in _UNSTRESSED.get(self._base, ()):
            sounds = tuple(Phoneme(phoneme.symbol) for phoneme in sounds)
        return Word(text, sounds)

    def _spoken(self, text: str) -> tuple[_Spoken, list[str]]:
        """The speakable part of a text, and what is left out, with the reason."""
        unspoken = [f"{tag[:40]!r}: markup" for tag in _MARKUP.findall(text)]
        blank = _MARKUP.sub(_blank, text)
        unspoken += [f"{word[:40]!r}: longer than {MAX_LETTERS} letters" for word in _LONG_WORD.findall(blank)]
        blank = _LONG_WORD.sub(_blank, blank)
        spans, characters, origins = [], [], []
        for span in self._reader.read(blank):
            kept = self._checked(span, blank[span.start : span.end], unspoken)
            if not kept:
                continue
            kept = "," if _DASHES.issuperset(kept) else kept  # gruut makes no pause at a dash
            spans.append(span)
            piece = f"{kept} "
            characters.append(piece)
            origins += [len(spans) - 1] * len(piece)
        return _Spoken("".join(characters).rstrip(), spans, origins), unspoken

    def _checked(self, span: Span, written: str, unspoken: list[str]) -> str:
        """The spoken words of a span, in letters of this language; losses are reported."""
        kept, lost = self._speakable(span.spoken)
        says = any(letter.isalnum() for letter in kept)
        if not lost and not says and any(sign.isdigit() or sign in _SAID_SIGNS for sign in written):
            lost = "no reading"
        if not lost and not says and any(_has_no_name(sign) for sign in written):
            lost = "a sign without a name here"
        if lost:
            unspoken.append(f"{written[:40]!r}: {lost}")
        return kept

    def _speakable(self, words: str) -> tuple[str, str]:
        """Words in letters of this language, and what is wrong with them or was lost; "" for nothing."""
        out, lost = [], ""
        for letter in unicodedata.normalize("NFC", words):
            if letter in _SAID_SIGNS and not self._verbatim:
                lost = "no reading"  # a reader that leaves a sign leaves it to nobody: gruut says none
                out.append(" ")
            elif letter in _SAID_SIGNS or letter == " " or letter.isdecimal() or letter in _SILENT_SIGNS:
                out.append(" " if letter in "*_~#/\\|<>^`[]{}" else letter)
            elif letter.isalpha():
                if not unicodedata.name(letter, "").startswith(self._script):
                    return "", f"not in the script of {self.code}"
                out.append(self._plain(letter))
            elif letter == STRESS and self._base == "ru":
                out.append(letter)
            elif not unicodedata.combining(letter):
                lost = "a sign without a name here"
        return "".join(out).replace("’", "'").strip(), lost

    def _plain(self, letter: str) -> str:
        """Removes accents in English; other languages keep theirs."""
        return letter if self._base != "en" else unicodedata.normalize("NFKD", letter)[0]


def _has_no_name(sign: str) -> bool:
    """Whether a character is a symbol or number without a name here, other than punctuation."""
    return unicodedata.category(sign) in ("So", "Sk", "Sm", "Sc", "No", "Nl") and sign not in _SILENT_SIGNS


def _blank(match: re.Match[str]) -> str:
    """As many spaces, to keep offsets."""
    return " " * len(match[0])


def _alone(spoken: _Spoken) -> Iterator[_Spoken]:
    """Word by word."""
    for match in re.finditer(r"\S+", spoken.text):
        yield _Spoken(match[0], spoken.spans, spoken.origins[match.start() : match.end()])


_languages: dict[str, Language] = {}
_loading = threading.Lock()


def language(code: str) -> Language:
    """The front end of a language, loaded once for all threads."""
    with _loading:
        if code not in _languages:
            _languages[code] = Language(code)
        return _languages[code]
