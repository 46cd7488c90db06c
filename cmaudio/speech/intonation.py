"""Intonation contours for questions and exclamations, where the prosody network falls short, and minimum pauses.

A corpus of read sentences has few questions, and some speakers do not raise them. So the contour of a stretch is
compared with the tune of its sentence type and moved towards it where it falls short; a voice that rises on its own is
not changed.

* English yes/no question, L* H-H% (Pierrehumbert and Hirschberg 1990): rises from the last stressed syllable up.
* Russian yes/no question, IK-3 (Bryzgunova 1980, "Russkaya grammatika"): mid level up to the word that is asked about,
  rises on its stressed syllable, with a late peak, and falls immediately afterwards.
* Exclamation: wider pitch range (Bolinger 1989, "Intonation and Its Uses").

Shapes: P phonemes, K knots of each.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.speech.phonemes import Phoneme
from cmaudio.speech.sentences import SentenceKind, Stretch

PAUSE_SECONDS = {",": 0.12, ".": 0.3, "?": 0.3, "!": 0.3}  # minimum silence at a mark, at rate 1
_RISE_SEMITONES, _LOW_SEMITONES = 5.0, -1.5  # end and start of the rise, relative to the mean pitch of the stretch
_PEAK_SEMITONES, _BEFORE_PEAK_SEMITONES, _AFTER_PEAK_SEMITONES = 6.0, 2.5, -2.0
_PEAK_AT = 0.8  # of the stressed syllable's vowel
_FALL_SECONDS = 0.15
_EXCLAIMED_SEMITONES, _WIDEST = 7.0, 2.0
_VOWELS = frozenset("aeiouyɑæɐəɛɜɪʊʌɔɚɝɨɵøœʉɒ")
Doubles = NDArray[np.float64]


def least_pauses(phonemes: Sequence[Phoneme], seconds: Doubles) -> Doubles:
    """(P,) durations with no pause shorter than the minimum for its mark."""
    return np.array(
        [max(s, PAUSE_SECONDS.get(phoneme.symbol, 0.0)) for phoneme, s in zip(phonemes, seconds.tolist(), strict=True)]
    )


def shaped(
    stretch: Stretch,
    phonemes: Sequence[Phoneme],
    seconds: Doubles,
    semitones: Doubles,
    voiced: Doubles,
    *,
    language: str,
    strength: float = 1.0,
) -> tuple[Doubles, Doubles]:
    """The contour of a stretch, moved towards the tune of its sentence type.

    Args:
        stretch: its sentence type and nucleus.
        phonemes: of the stretch.
        seconds: (P,) durations.
        semitones: (P, K) pitch.
        voiced: (P, K) probability of being voiced.
        language: e.g. "en-us".
        strength: 1 to reach the tune, 0 for no change.
    Returns:
        pitch and probability of being voiced, (P, K) each.
    """
    if strength <= 0 or stretch.length < 2:
        return semitones, voiced
    mean = mean_pitch(semitones, voiced)
    if stretch.kind is SentenceKind.EXCLAMATION:
        return _widened(semitones, voiced, mean, strength), voiced
    if stretch.kind is not SentenceKind.YES_NO_QUESTION:
        return semitones, voiced
    tune = _peak if language.lower().startswith("ru") else _final_rise
    places, wanted = tune(stretch, seconds, semitones, mean)
    moved = semitones + strength * (wanted - semitones)
    sounding = np.array([phoneme.symbol[:1] in _VOWELS for phoneme in phonemes])[:, None] & places
    return moved, np.where(sounding, np.maximum(voiced, 0.75), voiced)


def mean_pitch(semitones: Doubles, voiced: Doubles) -> float:
    """The mean pitch over voiced knots."""
    weights = (voiced > 0.5) + 1e-9
    return float((semitones * weights).sum() / weights.sum())


def _knot_times(seconds: Doubles, knots: int) -> Doubles:
    """(P, K) seconds from the start of the stretch."""
    begins = np.cumsum(seconds) - seconds
    return begins[:, None] + (np.arange(knots) + 0.5) / knots * seconds[:, None]


def _final_rise(
    stretch: Stretch, seconds: Doubles, semitones: Doubles, mean: float
) -> tuple[NDArray[np.bool_], Doubles]:
    """From low on the nucleus straight up to the last sound before the pause."""
    times = _knot_times(seconds, semitones.shape[1])
    start, end = times[stretch.turn, 0], times[stretch.length - 2, -1]
    rising = times >= start
    low = min(float(semitones[stretch.turn, 0]), mean + _LOW_SEMITONES)
    line = np.interp(times, [start, max(end, start + 1e-3)], [low, mean + _RISE_SEMITONES])
    own_rise = semitones[stretch.length - 2, -1] - mean >= _RISE_SEMITONES
    return rising, semitones if own_rise else np.where(rising, line, semitones)


def _peak(stretch: Stretch, seconds: Doubles, semitones: Doubles, mean: float) -> tuple[NDArray[np.bool_], Doubles]:
    """Not high before the nucleus, rising on it, and falling after it."""
    times = _knot_times(seconds, semitones.shape[1])
    begin = float(seconds[: stretch.turn].sum())
    peak = begin + _PEAK_AT * float(seconds[stretch.turn])
    before = float(np.interp(begin, times.ravel(), semitones.ravel()))
    line = np.interp(
        times,
        [begin, peak, peak + _FALL_SECONDS],
        [min(before, mean), mean + _PEAK_SEMITONES, mean + _AFTER_PEAK_SEMITONES],
    )
    up, down = (times >= begin) & (times <= peak), times > peak
    falling = np.where(times > peak + _FALL_SECONDS, np.minimum(semitones, line), line)
    level = np.minimum(semitones, mean + _BEFORE_PEAK_SEMITONES)
    return up, np.where(up, np.maximum(line, semitones), np.where(down, falling, level))


def _widened(semitones: Doubles, voiced: Doubles, mean: float, strength: float) -> Doubles:
    audible = semitones[voiced > 0.5]
    if len(audible) < 2:
        return semitones
    low, high = np.percentile(audible, [5, 95])
    factor = min(_WIDEST, max(1.0, _EXCLAIMED_SEMITONES / max(float(high - low), 1e-3)))
    return mean + (1 + strength * (factor - 1)) * (semitones - mean)
