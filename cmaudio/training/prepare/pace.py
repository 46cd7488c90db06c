"""Checks that texts and audio match in length: truncated clips, texts of other clips, the wrong column of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cmaudio.errors import CmaudioError
from cmaudio.training.prepare.utterances import Utterance

SHOWN = 10
_LEAST_JUDGED = 10  # utterances, for a verdict on the corpus
# The range of read speech including pauses, in letters and digits per second: alphabets, and scripts with a character
# per syllable or word. Phonemes are as dense as the letters of an alphabet.
_ALPHABET, _SYLLABLES = (3.0, 30.0), (1.2, 12.0)
_SIGNS = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\uac00", "\ud7af"))  # kana, Han, Hangul
# Relative to the corpus's median, beyond the variation of readers; the seconds allow for short texts and for silence.
_TOO_SHORT, _TOO_SHORT_SECONDS = 1 / 1.8, 0.6
_TOO_LONG, _TOO_LONG_SECONDS = 2.5, 2.0


@dataclass(frozen=True)
class Misfit:
    """An utterance whose text is too long or too short for its audio: `rate` in `unit` per second."""

    name: str
    seconds: float
    rate: float
    unit: str

    def __str__(self) -> str:
        return f"{self.name}: {self.seconds:.1f} s, {self.rate:.1f} {self.unit} a second"


@dataclass(frozen=True)
class _Measured:
    utterance: Utterance
    count: int
    unit: str
    low: float
    high: float

    @property
    def rate(self) -> float:
        return self.count / self.utterance.seconds

    def fits(self, median: float) -> bool:
        """Whether the rate is possible at all, and not far from the median."""
        seconds, usual = self.utterance.seconds, self.count / max(median, 1e-9)
        cut_off = seconds < _TOO_SHORT * usual and usual - seconds > _TOO_SHORT_SECONDS
        unsaid = seconds > _TOO_LONG * usual and seconds - usual > _TOO_LONG_SECONDS
        shortest, longest = self.count / self.high - _TOO_SHORT_SECONDS, self.count / self.low + _TOO_LONG_SECONDS
        return shortest <= seconds <= longest and not cut_off and not unsaid


def find_misfits(utterances: Sequence[Utterance]) -> list[Misfit]:
    """The utterances whose text and audio do not match in length, the worst first.

    Raises CmaudioError if most do not: then the transcript is of other recordings, or a wrong column was read.
    """
    measured = [_measure(utterance) for utterance in utterances if not utterance.trouble and utterance.seconds > 0]
    if not measured:
        return []
    median = float(np.median([each.rate for each in measured]))
    unfit = [each for each in measured if not each.fits(median)]
    unfit.sort(key=lambda each: abs(np.log((each.rate + 1e-3) / (median + 1e-3))), reverse=True)
    found = [Misfit(each.utterance.name, each.utterance.seconds, each.rate, each.unit) for each in unfit]
    outside = sum(not each.low <= each.rate <= each.high for each in measured)
    if len(measured) >= _LEAST_JUDGED and max(len(found), outside) > len(measured) / 2:
        raise CmaudioError(_verdict(measured, median, found))
    return found


def _measure(utterance: Utterance) -> _Measured:
    sounded = [phoneme for phoneme in utterance.phonemes if any(c.isalpha() for c in phoneme)]
    if sounded:
        return _Measured(utterance, len(sounded), "phonemes", *_ALPHABET)
    letters = [c for c in utterance.text if c.isalnum()]
    signs = sum(first <= c <= last for c in letters for first, last in _SIGNS)
    return _Measured(utterance, len(letters), "characters", *(_SYLLABLES if 2 * signs > len(letters) else _ALPHABET))


def _verdict(measured: Sequence[_Measured], median: float, found: Sequence[Misfit]) -> str:
    first = measured[0]
    worst = f", such as {'; '.join(map(str, found[:SHOWN]))}" if found else ""
    return (
        f"texts and sounds do not fit: the median is {median:.1f} {first.unit} a second, where speech has "
        f"{first.low:g} to {first.high:g}, and {len(found)} of {len(measured)} texts cannot be what their clips "
        f"say{worst}. Is it another column, or the transcript of other recordings?"
    )
