"""Measures the motion of a one-shot on recordings, frame by frame from the onset, compared with what a model plays.

The deviation of every recording from the mean of the model's renderings at the same age has principal directions, and a
course along each. Only audible frames count; a course ends when both recording and rendering are silent.

Shapes: N recordings, T frames, M mel bands; log-mel is not normalised.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.learning.example import DB
from cmaudio.learning.motion import directions_of, motion_along, rounded_db, variance
from cmaudio.model.motion import MOST_FRAMES, MOST_TAKES, Motion, MotionTake
from cmaudio.signal.dsp import Float

LONGEST_FRAMES = 400
_AFTER_FRAMES = 6  # of silence after a recording
_AUDIBLE_DB, _SOUNDING_DB = 20.0, 3.0  # of a frame's loudest band above the floor

Array = NDArray[np.float64]


def followed(mels: Sequence[Float], floor: float) -> list[Float]:
    """The recordings (T, M) that are measured, followed by silence; cut to what fits into a model file."""
    longest = min(LONGEST_FRAMES, MOST_FRAMES // min(max(len(mels), 1), MOST_TAKES))
    silence = ((0, _AFTER_FRAMES), (0, 0))
    return [np.pad(mel, silence, constant_values=floor)[:longest] for mel in mels[:MOST_TAKES]]


def one_shot_motion_of(
    point: Sequence[float],
    recorded: Sequence[Float],
    with_residual: Sequence[Float],
    without_residual: Sequence[Float],
    floor: float,
) -> Motion | None:
    """The motion of a timbre with these recordings, from `followed`; None if nothing is audible.

    `with_residual` and `without_residual` are at least two renderings each at the take `point` (P,), from the onset on,
    without motion. `floor` is the lowest log-mel.
    """
    mean: Array = np.mean(with_residual, 0, dtype=np.float64)
    beside, audible = [], []
    for mel in recorded:
        expected = _lengthened(mean, len(mel))
        loudest_db = DB * (np.maximum(mel, expected).max(1) - floor)
        sounding = np.flatnonzero(loudest_db > _SOUNDING_DB)
        end = min(len(mel), int(sounding[-1]) + 2 if len(sounding) else 2)
        beside.append(DB * (mel - expected)[:end])
        audible.append((loudest_db > _AUDIBLE_DB)[:end])
    heard = np.concatenate(audible)
    if not heard.any():
        return None
    deviation = np.concatenate(beside)
    offset = deviation[heard].mean(0)
    deviation -= offset
    directions = directions_of(deviation[heard])
    course = deviation @ directions.T
    ends = np.cumsum([len(part) for part in beside]).tolist()
    return motion_along(
        [MotionTake(point=list(point), offset_db=rounded_db(offset, 1), ends=ends)],
        directions,
        course,
        left=variance((deviation - course @ directions)[heard]),
        sampled=_variance_of_takes(with_residual, floor),
        own=_variance_of_takes(without_residual, floor),
    )


def _lengthened(mel: Array, frames: int) -> Array:
    """(T, M) -> (frames, M), its last frame held."""
    return np.pad(mel, ((0, max(0, frames - len(mel))), (0, 0)), mode="edge")[:frames]


def _variance_of_takes(takes: Sequence[Float], floor: float) -> Array:
    """(M,) variance in dB squared between takes, over audible frames."""
    mean: Array = np.mean(takes, 0, dtype=np.float64)
    audible = DB * (mean.max(1) - floor) > _AUDIBLE_DB
    if not audible.any():
        return np.zeros(mean.shape[1])
    found: Array = np.square(DB * (np.array(takes) - mean)[:, audible]).mean(1).sum(0) / (len(takes) - 1)
    return found
