"""Text to phonemes through gruut: numbers, dates and money in words, a lexicon, and rules for words that it lacks."""

from __future__ import annotations

import re
import sqlite3
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from cmaudio.errors import CmaudioError
from cmaudio.speech import russian
from cmaudio.speech.phonemes import PAUSES, Phoneme, Phrase, Word, pause
from cmaudio.speech.phrases import read_phrases

MAX_LETTERS = 60  # of a word
_MARKUP = re.compile(r"</?[A-Za-z!?][^<>]*>|&[a-z]+;|&#\d+;")
_SCRIPTS = {"ru": "CYRILLIC", "uk": "CYRILLIC", "fa": "ARABIC", "ar": "ARABIC", "el": "GREEK"}
_SAID_SIGNS = frozenset("%$€£¥₽&@+=°№")
_SILENT_SIGNS = frozenset("\"'“”‘’«»„()[]{}*_~#/\\|<>^`´-‐‑–—.,;:!?…¿¡")
_LONG_NUMBER = re.compile(r"\d{13,}")  # is read digit by digit
_DASHES = frozenset("-‐‑–—")
_SPACES = re.compile(r"\s+")
# Words without a stress of their own in running speech; the lexicon gives them as they are said alone.
_UNSTRESSED = {
    "en": frozenset(
        [
            "a",
            "an",
            "the",
            "and",
            "or",
            "but",
            "nor",
            "so",
            "as",
            "at",
            "by",
            "for",
            "from",
            "in",
            "of",
            "on",
            "to",
            "with",
            "than",
            "that",
            "is",
            "are",
            "was",
            "were",
            "be",
            "been",
            "am",
            "has",
            "have",
            "had",
            "do",
            "does",
            "did",
            "can",
            "could",
            "will",
            "would",
            "shall",
            "should",
            "may",
            "might",
            "must",
            "he",
            "she",
            "it",
            "they",
            "we",
            "you",
            "i",
            "him",
            "her",
            "them",
            "us",
            "me",
            "his",
            "its",
            "their",
            "our",
            "your",
            "my",
            "who",
            "which",
            "if",
            "when",
            "while",
            "there",
            "this",
            "these",
        ]
    )
}


class Language:
    """The front end of one language.

    Args:
        code: of the language, e.g. "en-us" or "ru-ru".
    Raises CmaudioError where gruut or its data for the language is not installed, naming what to install.
    """

    def __init__(self, code: str) -> None:
        try:
            from gruut.const import LANG_ALIASES
            from gruut.utils import find_lang_dir, resolve_lang
        except ImportError as error:
            raise CmaudioError(
                f"{error.name} is missing, which reads text: pip install gruut (phonemes can be given without it)"
            ) from error
        self.code = resolve_lang(code)
        self._base = re.split("[-_]", self.code)[0]
        if not re.fullmatch("[a-z]{2}", self._base) or find_lang_dir(self.code) is None:
            known = ", ".join(sorted(set(LANG_ALIASES.values())))
            raise CmaudioError(
                f"no data for language {code!r} here: pip install gruut-lang-{self._base or 'en'}; "
                f"gruut knows {known}, or give phonemes"
            )
        try:
            self._processor = _processor(self.code)
        except Exception as error:  # what gruut raises for a language it has data of but no rules
            raise CmaudioError(f"gruut cannot read language {code!r} ({error})") from error
        self._script = _SCRIPTS.get(self._base, "LATIN")
        self._lock = threading.Lock()  # gruut's lexicon is one connection to a database

    def phrases(self, pieces: Iterable[str]) -> Iterator[Phrase]:
        """The phrases of a text that comes in pieces, each as soon as it is whole; a silent one only to report."""
        for text, mark in read_phrases(pieces):
            phrase = self.phrase(text, mark)
            if not phrase.silent or phrase.unspoken:
                yield phrase

    def phrase(self, text: str, mark: str = ".") -> Phrase:
        """One phrase with the mark that ends it. What cannot be said is left out and reported."""
        cleaned, unspoken = self._clean(text)
        try:
            words = self._read(cleaned, unspoken)
        except Exception:  # gruut's rules for numbers, dates and their like meet some that they cannot take
            words = [word for written in cleaned.split() for word in self._read_alone(written, unspoken)]
        while words and words[-1].phonemes[0].is_pause:
            words.pop()
        if self._base == "ru":
            words = russian.pronounce(words)
        return Phrase((*words, pause(mark)), tuple(unspoken))

    def _read(self, cleaned: str, unspoken: list[str]) -> list[Word]:
        words: list[Word] = []
        with self._lock:
            for sentence in self._processor.sentences(*self._processor(cleaned)) if cleaned else ():
                for found in sentence:
                    word = self._word(found.text, found.phonemes or ())
                    if word is not None:
                        words.append(word)
                    elif found.is_spoken:
                        unspoken.append(f"{found.text[:40]!r}: no pronunciation")
        return words

    def _read_alone(self, written: str, unspoken: list[str]) -> list[Word]:
        try:
            return self._read(written, unspoken)
        except Exception as error:
            unspoken.append(f"{written[:40]!r}: cannot be read ({type(error).__name__})")
            return []

    def _word(self, text: str, phonemes: Iterable[str]) -> Word | None:
        said = [p for p in phonemes if p]
        if said and said[0] in ("|", "‖"):
            return pause(text if text in PAUSES else said[0])
        if not said:
            return None
        spoken = tuple(map(Phoneme.of, said))
        if text.lower() in _UNSTRESSED.get(self._base, ()):
            spoken = tuple(Phoneme(phoneme.symbol) for phoneme in spoken)
        return Word(text, spoken)

    def _clean(self, text: str) -> tuple[str, list[str]]:
        """What can be said of a text, and what is left out, with the reason."""
        unspoken = [f"{tag[:40]!r}: markup" for tag in _MARKUP.findall(text)]
        kept = []
        for word in _SPACES.sub(" ", _MARKUP.sub(" ", text)).split(" "):
            plain, lost = self._speakable(word)
            if lost:
                unspoken.append(f"{word[:40]!r}: {lost}")
            if _SILENT_SIGNS.issuperset(plain):
                plain = "," if _DASHES.intersection(plain) else ""
            kept.append(plain)
        return " ".join(filter(None, kept)), unspoken

    def _speakable(self, word: str) -> tuple[str, str]:
        """A word in letters of this language, and what is wrong with it or what it lost; "" for nothing."""
        if len(word) > MAX_LETTERS:
            return "", f"longer than {MAX_LETTERS} letters"
        out, lost = [], ""
        for letter in unicodedata.normalize("NFC", _LONG_NUMBER.sub(_digits, word)):
            if letter in _SAID_SIGNS or letter == " " or letter.isdecimal() or letter in _SILENT_SIGNS:
                out.append(" " if letter in "*_~#/\\|<>^`[]{}" else letter)
            elif letter.isalpha():
                name = unicodedata.name(letter, "")
                if not name.startswith(self._script):
                    return "", f"not in the script of {self.code}"
                out.append(self._plain(letter))
            elif not unicodedata.combining(letter):
                lost = "a sign without a name here"
        return "".join(out).replace("’", "'"), lost

    def _plain(self, letter: str) -> str:
        """English is written without accents; other languages keep theirs."""
        return letter if self._base != "en" else unicodedata.normalize("NFKD", letter)[0]


def _processor(code: str) -> Any:
    """gruut's processor of texts, one for all threads, its lexicon in memory with an index.

    gruut keeps one a thread, and scans the whole lexicon for every word: 15 ms for a word that it has not met before.
    """
    from gruut.lang import get_settings
    from gruut.phonemize import SqlitePhonemizer
    from gruut.text_processor import TextProcessor

    settings = get_settings(code)
    lookup: Any = settings.lookup_phonemes
    if isinstance(path := getattr(lookup, "db_path", None), Path):
        lexicon = sqlite3.connect(":memory:", check_same_thread=False)
        lexicon.execute("ATTACH ? AS file", (str(path),))
        lexicon.execute("CREATE TABLE word_phonemes AS SELECT word, pron_order, phonemes, role FROM file.word_phonemes")
        lexicon.execute("CREATE INDEX by_word ON word_phonemes(word)")
        lexicon.execute("DETACH file")
        lookup.phonemizer = SqlitePhonemizer(db_conn=lexicon, **lookup.phonemizer_args)
    return TextProcessor(default_lang=code, settings={code: settings})


def _digits(number: re.Match[str]) -> str:
    return " ".join(number[0])


@cache
def language(code: str) -> Language:
    """The front end of a language, loaded once."""
    return Language(code)
