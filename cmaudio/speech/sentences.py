"""The sentence type of a stretch of speech, and its nucleus, from its phonemes only.

Synthesis and training read the same phonemes, so both are conditioned on the same columns. A stretch is the speech
between two pauses; the mark that ends it says most. Question words are in `cmaudio.speech.question_words`.

The types follow the tunes of Pierrehumbert and Hirschberg (1990, "The Meaning of Intonational Contours in the
Interpretation of Discourse"): in English a yes/no question rises to its end, and a wh-question falls like a statement.
In Russian (Bryzgunova 1980, in "Russkaya grammatika", IK-1 to IK-3) a yes/no question rises on the stressed syllable of
the word that is asked about and falls after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from cmaudio.speech.phonemes import Phoneme
from cmaudio.speech.question_words import asked_word, offers_a_choice, opens_with_question_word

LONGEST_WAY = 15  # phonemes to the end of a stretch; more are clamped to this
_AFTERTHOUGHT_WORDS = 2  # "..., my friend?" still belongs to the preceding question


class SentenceKind(IntEnum):
    """The type of a stretch: by the mark at its end, and for questions by how it starts."""

    STATEMENT = 0
    YES_NO_QUESTION = 1
    WORD_QUESTION = 2
    EXCLAMATION = 3
    CONTINUATION = 4


class Place(IntEnum):
    """The position of a phoneme relative to the nuclear word: the last stressed one, or the one asked about."""

    BEFORE = 0
    IN_WORD = 1
    AFTER = 2


COLUMNS = (len(SentenceKind), len(Place), LONGEST_WAY + 1)  # values of each column of `Stretch.columns`
_OF_MARK = {",": SentenceKind.CONTINUATION, "?": SentenceKind.YES_NO_QUESTION, "!": SentenceKind.EXCLAMATION}


@dataclass(frozen=True)
class Stretch:
    """The phonemes between two pauses with the pause at their end.

    Attributes:
        kind: sentence type.
        length: number of phonemes.
        word: first and last (exclusive) phoneme of the word with the nucleus.
        turn: the nucleus: the phoneme, mostly a stressed vowel, at which the pitch turns.
    """

    kind: SentenceKind
    length: int
    word: tuple[int, int]
    turn: int

    @property
    def columns(self) -> NDArray[np.int64]:
        """(P, 3) kind, place, and number of phonemes to the end."""
        at = np.arange(self.length)
        place = np.where(at < self.word[0], Place.BEFORE, np.where(at < self.word[1], Place.IN_WORD, Place.AFTER))
        left = np.minimum(self.length - 1 - at, LONGEST_WAY)
        return np.stack([np.full(self.length, int(self.kind)), place, left], -1).astype(np.int64)


def prosody_ids(ids: NDArray[np.int64], stretch: Stretch) -> NDArray[np.int64]:
    """(P, 4) of `phoneme_ids` -> (P, 6) for the network: symbol, stress, word begins, and the stretch's columns."""
    return np.concatenate([ids[:, :3], stretch.columns], 1)


class StretchReader:
    """Reads the stretches of one text in order.

    Args:
        language: of the text, e.g. "en-us".
    """

    def __init__(self, language: str) -> None:
        self._base = language.lower()[:2]
        self._asks = False  # an earlier stretch of this sentence starts with a question word

    def read(self, phonemes: Sequence[Phoneme]) -> Stretch:
        """The next stretch: phonemes up to and including a pause."""
        words = _words(phonemes)
        sounds = [tuple(p.symbol for p in phonemes[first:end]) for first, end in words]
        asks = opens_with_question_word(sounds, self._base)
        mark = phonemes[-1].symbol if phonemes else "."
        kind = _OF_MARK.get(mark, SentenceKind.STATEMENT)
        if kind is SentenceKind.YES_NO_QUESTION:
            afterthought = self._asks and len(words) <= _AFTERTHOUGHT_WORDS
            if asks or afterthought or offers_a_choice(sounds, self._base):
                kind = SentenceKind.WORD_QUESTION
        self._asks = (self._asks or asks) if mark == "," else False
        return _stretch(kind, phonemes, words, sounds, self._base)


def _stretch(
    kind: SentenceKind,
    phonemes: Sequence[Phoneme],
    words: Sequence[tuple[int, int]],
    sounds: Sequence[tuple[str, ...]],
    base: str,
) -> Stretch:
    if not words:
        return Stretch(kind, len(phonemes), (0, len(phonemes)), 0)
    stressed = [i for i, (first, end) in enumerate(words) if any(p.stress == 1 for p in phonemes[first:end])]
    chosen = stressed[-1] if stressed else len(words) - 1
    if kind is SentenceKind.YES_NO_QUESTION:
        focus = asked_word(sounds, base)
        chosen = chosen if focus is None else focus
    first, end = words[chosen]
    turn = next((i for i in reversed(range(first, end)) if phonemes[i].stress == 1), first)
    return Stretch(kind, len(phonemes), (first, end), turn)


def _words(phonemes: Sequence[Phoneme]) -> list[tuple[int, int]]:
    """First and last (exclusive) phoneme of each word; without word boundaries, one word between pauses."""
    found: list[tuple[int, int]] = []
    begin: int | None = None
    for at, phoneme in enumerate(phonemes):
        if begin is not None and (phoneme.begins_word or phoneme.is_pause):
            found.append((begin, at))
            begin = None
        if not phoneme.is_pause and begin is None:
            begin = at
    if begin is not None:
        found.append((begin, len(phonemes)))
    return found
