"""Measures the motion of a sustained texture on recordings, compared with what a model plays of the same timbre.

Directions are principal components of the deviation from the median, in dB. The variance that they leave is left to the
network: its residual is scaled so that every band varies as much as in the recordings. A band of noise has a variance
of its own even without a residual, which is subtracted.

Shapes: T frames, R directions, M mel bands; log-mel is not normalised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cmaudio.learning.example import DB, steady_part
from cmaudio.model.motion import MOST_FRAMES, MOST_TAKES, Motion, MotionTake, coded
from cmaudio.signal.dsp import Float

_DIRECTIONS = 12  # at most; they explain 0.6 to 0.95 of the variance of beds
_LEAST_FRAMES = 24
_ALIKE_DB = 3.0
_LARGEST_DB, _LARGEST_SHARE = 199.0, 2.0

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Compared:
    """Similar recordings, and a model's renderings of them: log-mels (T, M).

    `point` is their take (P,). All renderings are without motion; those `without_residual` have humanity 0.
    """

    point: Sequence[float]
    recorded: Sequence[Float]
    with_residual: Sequence[Float]
    without_residual: Sequence[Float]


def motion_of(takes: Sequence[Compared]) -> Motion:
    """The motion of a timbre with these takes; their recordings come from `usable`."""
    recorded = [mel for take in takes for mel in take.recorded]
    beside = beside_median(recorded)
    directions = directions_of(beside)
    course = beside @ directions.T  # of unit length, so far
    ends = iter(np.cumsum([len(mel) for mel in recorded]).tolist())
    return motion_along(
        [
            MotionTake(
                point=list(take.point),
                offset_db=rounded_db((middle(take.recorded) - middle(take.with_residual)) * DB, 1),
                ends=[next(ends) for _ in take.recorded],
            )
            for take in takes
        ],
        directions,
        course,
        left=variance(beside - course @ directions),
        sampled=variance(beside_median([mel for take in takes for mel in take.with_residual])),
        own=variance(beside_median([mel for take in takes for mel in take.without_residual])),
    )


def motion_along(
    takes: Sequence[MotionTake], directions: Array, course: Array, *, left: Array, sampled: Array, own: Array
) -> Motion:
    """A motion with a course (T, R), in dB, along unit vectors (R, M).

    Variances (M,) in dB squared: `left` by the directions, `sampled` by the networks, and a band of noise's `own`.
    """
    farthest = np.maximum(np.abs(course).max(0), 1e-6)
    added = np.maximum(sampled - own, 1e-3)
    return Motion(
        takes=list(takes),
        directions_db=[rounded_db(row, 2) for row in directions * farthest[:, None]],
        course=coded(course / farthest),
        kept=np.round(np.clip(np.sqrt(np.maximum(left - own, 0) / added), 0, _LARGEST_SHARE), 2).tolist(),
    )


def still_at(point: Sequence[float], bands: int) -> Motion:
    """A motion that stands still, at one take (P,)."""
    take = MotionTake(point=list(point), offset_db=[0.0] * bands, ends=[2])
    return Motion(takes=[take], directions_db=[[0.0] * bands], course=coded(np.zeros((2, 1))), kept=[1.0] * bands)


def usable(mels: Sequence[Float]) -> dict[int, Float]:
    """The recordings that are long enough, by number; trimmed of fades, and to what fits into a model file."""
    steady = {number: steady_part(mel) for number, mel in enumerate(mels)}
    long = {number: mel for number, mel in steady.items() if len(mel) >= _LEAST_FRAMES}
    long = dict(list(long.items())[:MOST_TAKES])
    share = min(1.0, MOST_FRAMES / max(sum(map(len, long.values())), 1))
    return {number: mel[: max(int(share * len(mel)), _LEAST_FRAMES // 2)] for number, mel in long.items()}


def alike(mels: Mapping[int, Float]) -> list[list[int]]:
    """Groups of recordings (their numbers) with nearly the same median: mostly parts of one recording."""
    medians = {number: DB * np.median(mel, 0).astype(np.float64) for number, mel in mels.items()}
    groups: list[list[int]] = []
    for number, median in medians.items():
        away = [np.sqrt(np.mean(np.square(median - medians[group[0]]))) for group in groups]
        if away and min(away) < _ALIKE_DB:
            groups[int(np.argmin(away))].append(number)
        else:
            groups.append([number])
    return groups


def rounded_db(row: Array, digits: int) -> list[float]:
    """(M,) dB, within what a model file may contain."""
    found: list[float] = np.round(np.clip(row, -_LARGEST_DB, _LARGEST_DB), digits).tolist()
    return found


def middle(mels: Sequence[Float]) -> Array:
    """(M,) the mean of the medians, weighted by length."""
    return np.average([np.median(mel, 0) for mel in mels], 0, [len(mel) for mel in mels]).astype(np.float64)


def beside_median(mels: Sequence[Float]) -> Array:
    """(T, M) deviation of all frames from their recording's median, in dB."""
    return DB * np.concatenate([mel.astype(np.float64) - np.median(mel, 0) for mel in mels])


def variance(beside: Array) -> Array:
    """(M,) variance in dB squared of deviations (T, M)."""
    return np.square(beside).mean(0)


def directions_of(beside: Array) -> Array:
    """(R, M) orthonormal directions of the largest variance (principal components)."""
    _, vectors = np.linalg.eigh(beside.T @ beside)
    return np.ascontiguousarray(vectors[:, ::-1][:, :_DIRECTIONS].T)
