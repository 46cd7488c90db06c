"""Phonemes over time as the networks' input features. Shapes: P phonemes, T frames; a frame is 93.75th of a second.

Frame t covers hop t and belongs to the phoneme at the middle of that hop.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.speech.phonemes import EDGE, Phoneme

_NEAR = 14  # columns for a phoneme and its neighbours; the only ones of speech-1 models
SPEECH_FEATURES = _NEAR + 10
COLUMNS = {"speech-1": _NEAR, "speech-2": SPEECH_FEATURES}  # new columns follow those of older voices
ID_COLUMNS = (0, 1, 2, _NEAR, _NEAR + 1)  # phonemes as indices into the model's symbols
ENERGY_COLUMN, SINCE_COLUMN = 11, 5
CONTEXT_PHONEMES = 2  # phonemes on either side that condition a phoneme's frames
KNOTS = 4  # of pitch and voicing per phoneme, at the centres of its quarters
_LONGEST_SECONDS = 1.0  # longer durations are clipped
Array = NDArray[np.floating[Any]]


def phoneme_ids(phonemes: Sequence[Phoneme], symbols: Sequence[str]) -> NDArray[np.int64]:
    """(P, 4) index of the symbol, stress, 1 at the start of a word, 1 for pauses. Unknown symbols become the edge."""
    index = {symbol: i for i, symbol in enumerate(symbols)}
    rows = [(index.get(p.symbol, index[EDGE]), p.stress, p.begins_word, p.is_pause) for p in phonemes]
    return np.array(rows, np.int64).reshape(-1, 4)


def phoneme_context(ids: NDArray[np.int64]) -> NDArray[np.int64]:
    """(P, 4) of `phoneme_ids` -> (P, 5, 4): two phonemes before, this one, two after; edges beyond the ends.

    Phonemes beyond an adjacent pause are excluded: in a growing text they are not known yet.
    """
    padded = np.pad(ids, ((CONTEXT_PHONEMES, CONTEXT_PHONEMES), (0, 0)))
    context = np.stack([padded[i : i + len(ids)] for i in range(2 * CONTEXT_PHONEMES + 1)], 1)
    for beyond, pause in ((0, 1), (4, 3)):
        context[:, beyond] *= 1 - context[:, pause, 3:]
    return context


def energy_feature(mean_log_mel: Float | Array) -> Float:
    """Mean of natural log-mel over bands (and over a phoneme's frames) scaled to about unit range."""
    return ((mean_log_mel + np.float32(5)) / np.float32(3)).astype(np.float32)


def energy_step(decibels: float) -> float:
    """A change of level in dB as a change of the energy feature."""
    return decibels * float(np.log(10)) / 20 / 3


def speech_features(
    context: NDArray[np.int64],
    since: Array,
    until: Array,
    energy: Array,
    voiced: Array | NDArray[np.bool_],
    semitones: Array,
) -> Float:
    """The input features of each frame, in addition to the harmonics' log-mel.

    Args:
        context: (..., T, 5, 4) of `phoneme_context`.
        since: (..., T) seconds from the start of the phoneme.
        until: (..., T) seconds to its end.
        energy: (..., T) of `energy_feature`.
        voiced: (..., T) 1 or 0.
        semitones: (..., T) MIDI note number, where voiced.
    Returns:
        (..., T, 24) float32: 14 of the phoneme and its neighbours; the indices of the phonemes two away; the
            stress of the four around it; and word starts of all but the one two before.
    """
    ids, stress, begins = context[..., 0], context[..., 1], context[..., 2]
    this = stress[..., CONTEXT_PHONEMES]
    elapsed, left = np.clip(since, 0, _LONGEST_SECONDS), np.clip(until, 0, _LONGEST_SECONDS)
    columns = (
        this == 1,
        this == 2,
        np.log1p(50 * elapsed) / 4,
        np.exp(-25 * elapsed),
        np.log1p(50 * left) / 4,
        np.exp(-25 * left),
        elapsed / np.maximum(elapsed + left, 1e-6),
        np.log1p(50 * (elapsed + left)) / 4,
        energy,
        voiced,
        np.where(voiced > 0, pitch_feature(semitones), 0),
    )
    others = np.delete(stress, CONTEXT_PHONEMES, -1)
    parts = (
        ids[..., 1:4],
        np.stack(columns, -1),
        ids[..., [0, 4]],
        (others == 1) + (others == 2) / 2,
        begins[..., 1:],
    )
    return np.concatenate(parts, -1).astype(np.float32)


def pitch_feature(semitones: Array) -> Float:
    """MIDI note number to about unit range for speech."""
    return ((semitones - 57) / 12).astype(np.float32)


def pitch_of_feature(feature: Array) -> NDArray[np.float64]:
    """The inverse of `pitch_feature`."""
    return np.asarray(feature, np.float64) * 12 + 57
