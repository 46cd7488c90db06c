"""Measures the partials of a timbre on recorded notes: harmonic, a lower base, stretched, a set, or none.

A kind applies if most of the measured keys agree on it; choruses and vibrato stay harmonic. A sound whose power is no
higher at the harmonics of its key than between them, and that has no partials of another kind, is noise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from cmaudio.model.partials import (
    MOST_RATIOS,
    LowerBase,
    NoPartials,
    Partials,
    PartialSet,
    PartialSets,
    StretchedPartials,
    StringInharmonicity,
)
from cmaudio.signal.dsp import Float
from cmaudio.signal.peaks import Peak, harmonic_contrast, lasting_peaks, power_share

FROM_SECONDS, UNTIL_SECONDS = 0.08, 0.9  # after the onset's noise, while a bar still rings
KEYS = tuple(range(30, 100, 3))
VELOCITY = 90
_RANGE_DB = 40.0
_STRONG_DB = 26.0
_LOWEST_RATIO, _APART_RATIO, _APART_HZ = 0.2, 0.1, 20.0
_SILENT = 1e-4
_AGREE = 0.5  # share of the keys
_OFF_CENTS, _OFF_SHARE = 30.0, 0.12  # partials that no harmonic explains, and their share of the amplitude
_FIT_CENTS, _STRETCH_CENTS = 8.0, 10.0
_FEWEST_PARTIALS = 4
_NOISE_DB = 1.0
_TONAL, _HIGHEST_RATIO = 0.5, 200.0
_SAME_CENTS = 60.0  # of a partial in neighbouring keys: if it does not move with the key, it is not a partial of it
_B_RANGE = (1e-5, 0.02)


@dataclass(frozen=True)
class NotePartials:
    """Partials of one recorded note, from the lowest.

    Attributes:
        key: MIDI note number.
        ratios: frequencies as ratios to the key's.
        levels_db: relative to the strongest.
        share: of the note's power.
        contrast_db: power at the harmonics of the key relative to that between them.
    """

    key: int
    ratios: tuple[float, ...]
    levels_db: tuple[float, ...]
    share: float
    contrast_db: float


def f0_hz(key: float) -> float:
    """Hz of a MIDI note number."""
    return float(440.0 * 2 ** ((key - 69) / 12))


def partials_of_note(signal: Float, sample_rate: int, key: int) -> NotePartials | None:
    """Partials of the (N,) samples of a held note from its onset on; None where it is silent."""
    segment = signal[round(FROM_SECONDS * sample_rate) : round(UNTIL_SECONDS * sample_rate)]
    if len(segment) < sample_rate // 4 or np.abs(segment).max() < _SILENT:
        return None
    f0 = f0_hz(key)
    peaks: Sequence[Peak] = lasting_peaks(
        segment,
        sample_rate,
        lowest_hz=max(20.0, _LOWEST_RATIO * f0),
        apart_hz=max(_APART_HZ, _APART_RATIO * f0),
        count=MOST_RATIOS // 2,
        range_db=_RANGE_DB,
    )
    peaks = sorted((peak for peak in peaks if peak.hz < _HIGHEST_RATIO * f0), key=lambda peak: peak.hz)
    share = power_share(segment, sample_rate, [peak.hz for peak in peaks])
    contrast = harmonic_contrast(segment, sample_rate, f0)
    return NotePartials(key, tuple(p.hz / f0 for p in peaks), tuple(p.level_db for p in peaks), share, contrast)


def decide_partials(notes: Sequence[NotePartials], sustained: bool) -> Partials | None:
    """The kind of partials that most notes of a timbre show; None for harmonic.

    Args:
        notes: of different keys.
        sustained: whether it sounds while a key is held: blown, bowed and electronic sounds are harmonic.
    """
    if notes and _is_noise(notes):
        return NoPartials()
    notes = [note for note in notes if note.ratios]
    if not notes:
        return None
    divisor = _divisor(notes)
    if divisor is not None:
        return LowerBase(divisor=2 if divisor == 2 else 4)
    if sustained:
        return None
    strings = {note.key: b for note in notes if (b := _inharmonicity(note)) is not None}
    if len(strings) >= _AGREE * sum(len(note.ratios) >= _FEWEST_PARTIALS for note in notes) and len(strings) > 2:
        return _stretched(strings)
    measured, notes = len(notes), sorted((note for note in notes if note.share > _TONAL), key=_key)
    own = [note for note in notes if _unexplained(note, 1) > _OFF_SHARE]
    alike = sum(_strongest_recurs(low, high) for low, high in pairwise(notes))
    if len(own) >= max(3, _AGREE * measured) and alike >= _AGREE * (len(notes) - 1):
        return PartialSets(sets=[PartialSet(key=n.key, ratios=[round(r, 5) for r in n.ratios]) for n in notes])
    return None


def measure_partials(
    play: Callable[[int], Float], sample_rate: int, sustained: bool, keys: Sequence[int] = KEYS
) -> Partials | None:
    """Measure a timbre on a few keys; `play(key)` gives the samples of a held note from its onset on."""
    notes = [partials_of_note(play(key), sample_rate, key) for key in keys]
    return decide_partials([note for note in notes if note is not None], sustained)


def _is_noise(notes: Sequence[NotePartials]) -> bool:
    contrast, share = np.median([(note.contrast_db, note.share) for note in notes], 0)
    return bool(contrast < _NOISE_DB and share < _TONAL)


def _key(note: NotePartials) -> int:
    return note.key


def _amplitudes(note: NotePartials) -> np.ndarray:
    return np.asarray(10 ** (np.array(note.levels_db) / 20))


def _cents_off(ratios: np.ndarray, divisor: int) -> np.ndarray:
    """Distance of each ratio from the nearest multiple of 1 / divisor, in cents."""
    whole = np.maximum(np.round(ratios * divisor), 1)
    return np.asarray(1200 * np.abs(np.log2(ratios * divisor / whole)))


def _unexplained(note: NotePartials, divisor: int) -> float:
    """Share of the amplitude in partials that are not harmonics of f0 / divisor."""
    weight = _amplitudes(note)
    off = _cents_off(np.array(note.ratios), divisor) > _OFF_CENTS
    return float(weight[off].sum() / weight.sum())


def _strongest_recurs(note: NotePartials, other: NotePartials) -> bool:
    strongest = note.ratios[int(np.argmax(note.levels_db))]
    return bool((1200 * np.abs(np.log2(np.array(other.ratios) / strongest))).min() < _SAME_CENTS)


def _divisor(notes: Sequence[NotePartials]) -> int | None:
    """The base of a strong partial in most notes, if its harmonics explain the others."""
    for divisor in (4, 2):
        votes = [
            any(
                abs(1200 * np.log2(ratio * divisor)) < _OFF_CENTS and level > -_STRONG_DB
                for ratio, level in zip(note.ratios, note.levels_db, strict=True)
            )
            and _unexplained(note, divisor) < _OFF_SHARE
            for note in notes
        ]
        if sum(votes) >= _AGREE * len(votes):
            return divisor
    return None


def _inharmonicity(note: NotePartials) -> float | None:
    """B of a string from its partials, None if they are not those of an audibly stretched string.

    (f_k / k)^2 = f^2 (1 + B k^2) is a straight line over k^2; partials are numbered upwards, each by the line so far.
    """
    ratios, weight = np.array(note.ratios), np.sqrt(_amplitudes(note))
    numbers, kept = [], []
    b, first = 0.0, 1.0
    for i, ratio in enumerate(ratios):
        candidates = np.arange(1, 64)
        places = first * candidates * np.sqrt(1 + b * candidates**2)
        k = int(candidates[np.argmin(np.abs(places - ratio))])
        if abs(places[k - 1] - ratio) > 0.2 or k in numbers:
            continue
        numbers.append(k)
        kept.append(i)
        if len(numbers) >= 3:
            first, b = _line(np.array(numbers), ratios[kept], weight[kept])
    if len(numbers) < _FEWEST_PARTIALS or weight[kept].sum() < 0.8 * weight.sum():
        return None
    numbered = np.array(numbers, np.float64)
    stretched = 1200 * np.log2(ratios[kept] / (first * numbered * np.sqrt(1 + b * numbered**2)))
    residual = np.sqrt(np.average(stretched**2, weights=weight[kept]))
    gained = 600 * np.log2((1 + b * max(numbers) ** 2) / (1 + b))
    fits = _B_RANGE[0] < b < _B_RANGE[1] and residual < min(_FIT_CENTS, gained / 3) and gained > _STRETCH_CENTS
    return float(b) if fits else None


def _line(k: np.ndarray, ratios: np.ndarray, weight: np.ndarray) -> tuple[float, float]:
    """(f / f0, B) of the weighted line through (f_k / k)^2 over k^2."""
    slope, start = np.polyfit(k.astype(float) ** 2, (ratios / k) ** 2, 1, w=weight)
    start = max(float(start), 0.5)
    return float(np.sqrt(start)), max(0.0, float(slope) / start)


def _stretched(strings: Mapping[int, float]) -> StretchedPartials:
    """A smooth curve of B over the keys: the median of three neighbours each."""
    keys = sorted(strings)
    logs = np.log([strings[key] for key in keys])
    smooth = [float(np.median(logs[max(0, i - 1) : i + 2])) for i in range(len(keys))]
    rows = [StringInharmonicity(key=key, b=round(float(np.exp(log)), 8)) for key, log in zip(keys, smooth, strict=True)]
    return StretchedPartials(strings=rows)
