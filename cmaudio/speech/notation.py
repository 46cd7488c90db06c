"""The notation of a text: plain, SSML or phonemes, and its phrases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from cmaudio.errors import CmaudioError
from cmaudio.speech.language import language
from cmaudio.speech.phonemes import Phrase, parse_phonemes
from cmaudio.speech.pronunciations import Pronunciations
from cmaudio.speech.ssml import parse_ssml


@dataclass(frozen=True)
class Notation:
    """How a text is written: plainly, in SSML, or in phonemes.

    Attributes:
        phonemes: in IPA, in the voice's own symbols.
        ssml: in SSML, whole.
        pronunciations: IPA by word, before the lexicon's.
    """

    phonemes: bool = False
    ssml: bool = False
    pronunciations: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        if self.phonemes and self.ssml:
            raise CmaudioError("a text is SSML or phonemes, not both; SSML has <phoneme> for single words")

    def phrases(self, text: str | Iterable[str], code: str, symbols: Sequence[str]) -> Iterator[Phrase]:
        """The phrases of a text, each as soon as its end is known.

        Args:
            text: complete, or in pieces that are still being written.
            code: the language, e.g. "en-us".
            symbols: the phonemes of the voice.
        Raises:
            CmaudioError: SSML that cannot be read, IPA that the voice lacks; while the phrases are taken also
                phonemes that it lacks.
        """
        given: object = text
        if not isinstance(given, Iterable) or isinstance(given, bytes):
            raise CmaudioError(f"a text is a string, or pieces of one, not {type(given).__name__}")
        own = Pronunciations(symbols, self.pronunciations)
        pieces = [text] if isinstance(text, str) else text
        if self.phonemes:
            return (phrase for piece in pieces for phrase in parse_phonemes(piece, symbols))
        if self.ssml:
            document = parse_ssml("".join(pieces))
            return document.apply(language(code).phrases([document.text], own))
        return language(code).phrases(pieces, own)
