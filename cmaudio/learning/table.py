"""The table of a learned timbre: the difference between examples and the prior's prediction, by age.

Shapes: T frames, M mel bands, A ages.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from cmaudio.learning.example import DB, LONGEST_ONE_SHOT_SECONDS, Example, steady_part
from cmaudio.learning.expectation import Expectation
from cmaudio.model.learned import LearnedSpectrum
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float

_FRAME_BY_FRAME, _MOST_ROWS = 96, 200  # the first second keeps every frame
_HELD_FROM_SECONDS = 0.5  # of a sustained note: from here on, its mean is used
_STEADY_AGE = 60.0
_LARGEST_DB, _LARGEST_SPREAD_DB = 199.0, 39.0

Array = NDArray[np.float64]


def course_of(examples: Sequence[Example], sustained: bool, frame_rate: float, floor: float) -> tuple[Array, Float]:
    """Ages (A,) in seconds, and the log-mel (A, M) there: the median of the examples."""
    if sustained:
        steady = np.concatenate([steady_part(example.mel) for example in examples])
        held = np.median(steady, 0)[None]
        if not all(example.tonal for example in examples):
            return np.array([_STEADY_AGE]), held
        first = min(round(_HELD_FROM_SECONDS * frame_rate), *(len(example.mel) // 2 for example in examples))
        start = np.median([example.mel[: max(1, first)] for example in examples], 0)
        ages = np.arange(1, len(start) + 1) / frame_rate
        return np.append(ages, ages[-1] + 0.1), np.concatenate([start, held])
    frames = min(max(len(example.mel) for example in examples), round(LONGEST_ONE_SHOT_SECONDS * frame_rate))
    padded = [_padded(example.mel, frames, floor) for example in examples]
    edges = _edges(frames)
    median = np.median(padded, 0)
    rows = [median[a:b].mean(0) for a, b in pairwise(edges.tolist())]
    ages = (edges[:-1] + edges[1:] + 1) / 2 / frame_rate
    silence = np.full((1, median.shape[1]), floor)
    return np.append(ages, ages[-1] + 2 / frame_rate), np.concatenate([rows, silence]).astype(np.float32)


def _padded(mel: Float, frames: int, floor: float) -> Float:
    """(T, M) padded with silence to this number of frames."""
    return np.pad(mel[:frames], ((0, max(0, frames - len(mel))), (0, 0)), constant_values=floor)


def _edges(frames: int) -> NDArray[np.int64]:
    """Frames at which rows start, and the end: every frame at first, then at growing intervals."""
    if frames <= _FRAME_BY_FRAME:
        return np.arange(frames + 1)
    later = np.round(np.geomspace(_FRAME_BY_FRAME, frames, _MOST_ROWS - _FRAME_BY_FRAME)).astype(np.int64)
    return np.unique(np.concatenate([np.arange(_FRAME_BY_FRAME), later]))


def spectrum_of(
    examples: Sequence[Example], base: TimbreDefinition, expectation: Expectation, frame_rate: float, floor: float
) -> LearnedSpectrum:
    """The spectrum of similar examples, for a timbre with the point and the kind of `base`."""
    tonal = examples[0].tonal and base.tonal
    key = float(np.median([example.pitch.key for example in examples])) if tonal else None
    ages, course = course_of(examples, base.sustained, frame_rate, floor)
    predicted = expectation([base], ages, key).median[0]
    offsets = np.clip((course - predicted) * DB, -_LARGEST_DB, _LARGEST_DB)
    return rounded(key, ages, offsets, np.zeros(offsets.shape[1]))


def rounded(key: float | None, ages: Array, offsets_db: Array, spread_db: Array) -> LearnedSpectrum:
    """A spectrum as stored: offsets and spread in steps of 0.1 dB, clamped to the format's range."""
    offsets = np.round(np.clip(offsets_db, -_LARGEST_DB, _LARGEST_DB), 1)
    spread = np.round(np.clip(spread_db, -_LARGEST_SPREAD_DB, _LARGEST_SPREAD_DB), 1)
    return LearnedSpectrum(
        key=None if key is None else round(float(key), 3),
        ages_s=np.round(ages, 5).tolist(),
        offsets_db=offsets.tolist(),
        spread_db=spread.tolist(),
    )


def corrected(spectrum: LearnedSpectrum, examples: Sequence[Example], heard: Float) -> LearnedSpectrum:
    """A bed's spectrum corrected by its rendered output (T, M): the remaining difference is subtracted once."""
    recorded = np.concatenate([steady_part(example.mel) for example in examples])
    (median, width), (sounding, found) = (_middle(mel) for mel in (recorded, heard))
    offsets = np.array(spectrum.offsets_db) + (median - sounding) * DB
    spread = np.array(spectrum.spread_db) + np.clip(DB * np.log(width / found), -9, 9)
    return rounded(spectrum.key, np.array(spectrum.ages_s), offsets, spread)


def _middle(mel: Float) -> tuple[Float, Float]:
    """Median (M,) and mean distance from it (M,) of frames (T, M)."""
    median = np.median(mel, 0)
    return median, np.abs(mel - median).mean(0) + np.float32(0.02)
