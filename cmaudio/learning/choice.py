"""Finds the named timbres nearest to an example, by the prior's prediction.

Level is not compared, since it is learned exactly. The sampled part of the sound is that of the nearest timbre, so for
beds the spread of the bands counts as much as their medians.

Shapes: V timbres, A ages, T frames, M mel bands.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.learning.example import DB, Example, steady_part
from cmaudio.learning.expectation import Expectation, Expected
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.signal.dsp import Float

_AGES, _LONGEST_FRAMES = 20, 188
_OVER_FLOOR = 1.0  # nepers: lower values are not compared
_STEADY_AGE = 60.0

Array = NDArray[np.float64]
Weights = NDArray[np.float64] | NDArray[np.bool_]


def nearest_timbres(
    examples: Sequence[Example],
    timbres: Sequence[TimbreDefinition],
    expectation: Expectation,
    frame_rate: float,
    floor: float,
) -> tuple[list[TimbreDefinition], list[float]]:
    """The timbres in order of distance, and their distances in dB.

    Args:
        examples: of one sound; the longest one is compared.
        timbres: candidates; either all endless or all one-shots.
        expectation: of the model.
        frame_rate: in Hz.
        floor: of log-mel, in nepers.
    """
    longest = max(examples, key=lambda example: len(example.mel))
    key = longest.pitch.key if longest.tonal else None
    if timbres[0].sustained and key is None:
        predicted = expectation(timbres, np.array([_STEADY_AGE]), key)
        distances, order = _of_beds(steady_part(longest.mel), predicted, floor)
    else:
        frames = np.unique(np.round(np.geomspace(1, min(len(longest.mel), _LONGEST_FRAMES), _AGES)).astype(int))
        predicted = expectation(timbres, frames / frame_rate, key)
        distances = order = _of_courses(longest.mel[frames - 1], np.gradient(frames.astype(float)), predicted, floor)
    ranks = np.argsort(order, kind="stable")
    return [timbres[i] for i in ranks], [float(distances[i]) for i in ranks]


def _of_beds(mel: Float, said: Expected, floor: float) -> tuple[Array, Array]:
    """Distances (V,) of medians in dB, and the key to sort by."""
    median = np.median(mel, 0)
    width = np.abs(mel - median).mean(0)
    weights = (np.maximum(said.median[:, 0], median) > floor + _OVER_FLOOR).astype(np.float64)
    differences = _levelled(said.median[:, 0] - median, weights)
    distances = _mean(np.abs(differences), weights) * DB
    widths = _mean(np.abs(np.log(said.spread[:, 0] / (width + 0.02))), weights)
    return distances, distances / _scale(distances) + widths / _scale(widths)


def _of_courses(mel: Float, lengths: Array, said: Expected, floor: float) -> Array:
    """Distances (V,) in dB of frames (A, M), weighted by the number of frames that each stands for."""
    weights = (np.maximum(said.median, mel) > floor + _OVER_FLOOR) * np.broadcast_to(lengths[:, None], mel.shape)
    flat = (len(said.median), -1)
    differences = _levelled((said.median - mel).reshape(flat), weights.reshape(flat))
    return _mean(np.abs(differences), weights.reshape(flat)) * DB


def _levelled(apart: Array | Float, weights: Weights) -> Array:
    """(V, ...) differences without the difference in level."""
    return np.asarray(apart - _mean(apart, weights)[:, None])


def _mean(values: Array | Float, weights: Weights) -> Array:
    return np.asarray((values * weights).sum(1) / np.maximum(weights.sum(1), 1e-9))


def _scale(values: Array) -> float:
    return max(float(values.std()), 1e-6)
