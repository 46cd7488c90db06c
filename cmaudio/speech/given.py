"""Pronunciations that take precedence over the lexicon: inline IPA, the user's dictionary, letters, exceptions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cmaudio.speech.exceptions import letter_name
from cmaudio.speech.phonemes import Phoneme
from cmaudio.speech.pronunciations import INLINE, Pronunciations
from cmaudio.speech.text.spans import Span

_PLAIN = {"ru": "а"}  # placeholder for a word that needs no reading; "a" in other languages
_AROUND = "\"'“”‘’«»„()[]{}*_.,;:!?…"
_TOKEN = re.compile(r"[^\s—–]+")
_HISSING, _VOICELESS = frozenset(("s", "z", "ʃ", "ʒ", "t͡ʃ", "d͡ʒ")), frozenset("ptkfθ")


@dataclass(frozen=True)
class OwnWord:
    """A word of the text with a pronunciation given by the user."""

    text: str
    phonemes: tuple[Phoneme, ...]


@dataclass(frozen=True)
class Given:
    """The given pronunciations for one phrase.

    Attributes:
        base: the language, e.g. "en".
        exceptions: phonemes by word that correct the lexicon.
        own: the user's.
        words: words of the phrase that `own` pronounces, by their offset.
    """

    base: str
    exceptions: Mapping[str, str]
    own: Pronunciations | None
    words: Mapping[int, OwnWord]

    def written(self, word: str, span: Span) -> str:
        """The text from which gruut's `word` comes, at `span`."""
        return self.words[span.start].text if span.start in self.words else word

    def phonemes(self, word: str, span: Span) -> tuple[Phoneme, ...] | None:
        """The phonemes of gruut's `word`; None if the lexicon decides."""
        if span.start in self.words:
            return self.words[span.start].phonemes
        if self.own is not None and (own := self.own.word(word)) is not None:
            return own
        # In initials, "A" is not the article.
        letter = letter_name(self.base, word) if word != span.spoken else None
        said = letter or self.exceptions.get(word.lower())
        return None if said is None else tuple(map(Phoneme.of, said.split()))


def own_words(text: str, own: Pronunciations | None, base: str) -> tuple[str, dict[int, OwnWord]]:
    """A phrase in which words with a user pronunciation are replaced by neutral placeholders, whatever signs they hold.

    Args:
        text: the phrase.
        own: the user's pronunciations; None leaves the phrase unchanged.
        base: the language, e.g. "en".
    Returns:
        the phrase, of the same length, and the words by their offset.
    """
    found: dict[int, OwnWord] = {}
    if own is None:
        return text, found

    def take(at: int, word: str, phonemes: tuple[Phoneme, ...]) -> str:
        found[at] = OwnWord(word, phonemes)
        letter = _PLAIN.get(base, "a")
        return (letter.upper() if word[:1].isupper() else letter) + letter * (len(word) - 1)

    def inline(match: re.Match[str]) -> str:
        return f" {take(match.start('word'), match['word'], own.spell(match['ipa']))}".ljust(len(match[0]))

    def listed(match: re.Match[str]) -> str:
        for core in (match[0], match[0].strip(_AROUND)):
            if core and (phonemes := _listed(core, own, base)) is not None:
                before, _, after = match[0].partition(core)
                return before + take(match.start() + len(before), core, phonemes) + after
        return match[0]

    text = INLINE.sub(inline, text) if "](/" in text else text
    return (_TOKEN.sub(listed, text) if own else text), found


def _listed(word: str, own: Pronunciations, base: str) -> tuple[Phoneme, ...] | None:
    """The dictionary's entry for a word, or for an English word of which it is the possessive."""
    phonemes = own.word(word)
    owner = re.fullmatch(r"(.+)['’]s", word) if base == "en" and phonemes is None else None
    stem = own.word(owner[1]) if owner is not None else None
    if not stem:
        return phonemes
    last = stem[-1].symbol
    ending = ("ɪ", "z") if last in _HISSING else ("s" if last in _VOICELESS else "z",)
    return (*stem, *map(Phoneme, ending))
