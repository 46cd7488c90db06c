"""Energy scores of log-mel in dB between the output of a learned timbre and its examples, by free running.

The energy score (Gneiting and Raftery 2007) is lowest for samples from the distribution of the recordings: it rewards
takes that are close to the example and vary. For beds, which are not aligned in time with an example, patches of the
spectrogram are compared; for one-shots, frames of the same age.

Shapes: T frames, M mel bands, P patches.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cmaudio.learning.example import DB, steady_part
from cmaudio.signal.dsp import Float

SKIPPED_FRAMES = 30  # of a bed, whose start differs
_GROUPS, _FRAMES, _MOST_PATCHES = 12, 4, 300
_AUDIBLE_NEPERS = 20 / DB  # above the floor

Array = NDArray[np.float64]


def score_of_bed(recorded: Float, takes: Sequence[Float]) -> float:
    """The energy distance of patches (Székely and Rizzo 2013) of a recording (T, M) and of takes."""
    ours = _patches(np.concatenate([take[SKIPPED_FRAMES:] for take in takes]))
    theirs = _patches(steady_part(recorded))
    return 2 * _apart(theirs, ours) - _apart(theirs, theirs) - _apart(ours, ours)


def score_of_takes(recorded: Float, takes: Sequence[Float], floor: float) -> float:
    """The energy score of at least two takes (T, M) of a one-shot."""
    frames = min(len(recorded), *(len(take) for take in takes))
    example, ours = recorded[:frames], [take[:frames] for take in takes]
    audible = np.maximum(example, np.mean(ours, 0)) > floor + _AUDIBLE_NEPERS
    to_example = np.mean([_distance(example, take, audible) for take in ours])
    to_each_other = np.mean([_distance(a, b, audible) for a, b in combinations(ours, 2)])
    return float(to_example - to_each_other / 2)


def _distance(a: Float, b: Float, audible: NDArray[np.bool_]) -> float:
    return float(np.abs(a - b)[audible].mean() * DB) if audible.any() else 0.0


def _patches(mel: Float) -> Array:
    """(T, M) -> (P, groups x frames) dB: four frames, means over parts of the spectrum."""
    groups = np.stack([part.mean(1) for part in np.array_split(DB * mel, _GROUPS, axis=1)], 1)
    starts = np.linspace(0, len(groups) - _FRAMES, min(_MOST_PATCHES, len(groups) - _FRAMES + 1)).astype(int)
    return np.stack([groups[start : start + _FRAMES].ravel() for start in starts]).astype(np.float64)


def _apart(a: Array, b: Array) -> float:
    """Mean distance of pairs, per number of a patch."""
    squares = np.square(a).sum(1)[:, None] + np.square(b).sum(1) - 2 * a @ b.T
    return float(np.sqrt(np.maximum(squares, 0) / a.shape[1]).mean())
