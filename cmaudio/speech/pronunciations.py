"""User pronunciations: a dictionary, and inline IPA for one word of a text, `[nginx](/ˈɛndʒɪn ˈɛks/)`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from cmaudio.errors import CmaudioError
from cmaudio.files.reading import read_text
from cmaudio.speech.phonemes import Phoneme, spell

MAX_WORD, MAX_IPA = 60, 200  # letters
INLINE = re.compile(rf"\[(?P<word>[^\]\[\s]{{1,{MAX_WORD}}})\]\(/(?P<ipa>[^/]{{1,{MAX_IPA}}})/\)?")
MAX_BYTES = 4 * 2**20


class Pronunciations:
    """A user's dictionary, in the phonemes of a voice.

    Args:
        symbols: the phonemes of the voice.
        words: IPA by word, such as {"nginx": "ˈɛndʒɪn ˈɛks"}; spaces and case of the words do not matter.
    Raises:
        CmaudioError: IPA that the voice lacks (with the available phonemes) or over 200 letters.
    """

    def __init__(self, symbols: Sequence[str], words: Mapping[str, str] | None = None) -> None:
        self._symbols = symbols
        if not isinstance(words, Mapping | None) or not all(isinstance(ipa, str) for ipa in (words or {}).values()):
            raise CmaudioError("pronunciations are IPA by word, such as {'nginx': 'ˈɛndʒɪn ˈɛks'}")
        for word in words or {}:
            if len(word.split()) > 1:
                raise CmaudioError(f"{word[:40]!r} is more than one word; give the pronunciation of each")
        self._words = {word.strip().lower(): self.spell(ipa) for word, ipa in (words or {}).items()}

    def __bool__(self) -> bool:
        return bool(self._words)

    def word(self, text: str) -> tuple[Phoneme, ...] | None:
        """The phonemes of a word of the dictionary."""
        return self._words.get(text.lower())

    def spell(self, ipa: str) -> tuple[Phoneme, ...]:
        """The phonemes of a word in IPA. Raises CmaudioError for a symbol that the voice lacks or too long a word."""
        if len(ipa) > MAX_IPA:
            raise CmaudioError(f"{ipa[:20]!r}... has {len(ipa)} letters; at most {MAX_IPA} are allowed for one word")
        return spell("".join(ipa.split()), self._symbols)


def read_dictionary(path: str | Path) -> dict[str, str]:
    """Read a dictionary file: one word per line, a tab or spaces, then its IPA; # begins a comment.

    Raises:
        CmaudioError: a file that cannot be read or is larger than 4 MiB, a line without IPA (with its number).
    """
    words: dict[str, str] = {}
    for number, line in enumerate(read_text(path, "dictionary", MAX_BYTES).splitlines(), 1):
        word, _, ipa = line.split("#")[0].strip().partition("\t" if "\t" in line else " ")
        if not word:
            continue
        if not ipa.strip():
            raise CmaudioError(f"{path}, line {number}: {word[:40]!r} has no IPA; write the word, a tab and its IPA")
        words[word] = ipa.strip()
    return words
