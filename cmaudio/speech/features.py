"""From phonemes in time to the numbers the networks read. Shapes: P phonemes, T frames; a frame is 93.75th of a second.

Frame t covers hop t and is of the phoneme in which the middle of that hop lies.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmaudio.dsp import Float
from cmaudio.speech.phonemes import EDGE, Phoneme

IDS = 3  # the first columns: the phoneme before, this one and the next, as indices into the model's symbols
SPEECH_FEATURES = IDS + 11
KNOTS = 4  # of pitch and voicing a phoneme, in the middles of its quarters
_LONGEST_SECONDS = 1.0  # of a pause; past it nothing changes any more
Array = NDArray[np.floating[Any]]


def phoneme_ids(phonemes: Sequence[Phoneme], symbols: Sequence[str]) -> NDArray[np.int64]:
    """(P, 3) index of the symbol, stress, and 1 where a word begins; a symbol that is not there is read as the edge."""
    index = {symbol: i for i, symbol in enumerate(symbols)}
    rows = [(index.get(p.symbol, index[EDGE]), p.stress, p.begins_word) for p in phonemes]
    return np.array(rows, np.int64).reshape(-1, 3)


def neighbours(ids: NDArray[np.int64], before: int, after: int) -> NDArray[np.int64]:
    """(P,) ids -> (P, 3) with the one before and the one after, given what lies outside."""
    return np.stack([np.concatenate([[before], ids[:-1]]), ids, np.concatenate([ids[1:], [after]])], -1)


def energy_feature(mean_log_mel: Float | Array) -> Float:
    """Mean of natural log-mel over bands (and over a phoneme's frames) brought to about unit range."""
    return ((mean_log_mel + np.float32(5)) / np.float32(3)).astype(np.float32)


def energy_step(decibels: float) -> float:
    """How much louder in dB is how much more of the energy feature."""
    return decibels * float(np.log(10)) / 20 / 3


def speech_features(
    ids: NDArray[np.int64],
    stress: NDArray[np.int64],
    since: Array,
    until: Array,
    energy: Array,
    voiced: Array | NDArray[np.bool_],
    semitones: Array,
) -> Float:
    """What the network reads of each frame beside the picture of its harmonics.

    Args:
        ids: (..., T, 3) of `neighbours`. stress: (..., T) 0, 1 or 2.
        since, until: (..., T) seconds from the phoneme's beginning and to its end.
        energy: (..., T) of `energy_feature`. voiced: 1 or 0. semitones: MIDI note number, where voiced.
    Returns:
        (..., T, 14) float32.
    """
    gone, left = np.clip(since, 0, _LONGEST_SECONDS), np.clip(until, 0, _LONGEST_SECONDS)
    columns = (
        stress == 1,
        stress == 2,
        np.log1p(50 * gone) / 4,
        np.exp(-25 * gone),
        np.log1p(50 * left) / 4,
        np.exp(-25 * left),
        gone / np.maximum(gone + left, 1e-6),
        np.log1p(50 * (gone + left)) / 4,
        energy,
        voiced,
        np.where(voiced > 0, pitch_feature(semitones), 0),
    )
    return np.concatenate([ids, np.stack(columns, -1)], -1).astype(np.float32)


def pitch_feature(semitones: Array) -> Float:
    """MIDI note number to about unit range for speech."""
    return ((semitones - 57) / 12).astype(np.float32)


def pitch_of_feature(feature: Array) -> NDArray[np.float64]:
    """The inverse of `pitch_feature`."""
    return np.asarray(feature, np.float64) * 12 + 57
