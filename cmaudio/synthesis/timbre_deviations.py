"""Pitch deviation at a point of the timbre space: as measured at a named timbre, interpolated between them.

Shapes: T times, Z timbre dimensions.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.deviation import MOMENTS, Deviation, MomentsByKey, from_moments
from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.timbres import fitted, full_vectors

_NEIGHBOURS = 3


class TimbreDeviations:
    """The deviations of a model's timbres, in a form that can be averaged (`cmaudio.model.deviation`).

    Args:
        timbres: at least one of them with a `deviation`.
    """

    def __init__(self, timbres: Sequence[TimbreDefinition]) -> None:
        self._entries = [MomentsByKey(timbre.deviation) if timbre.deviation else None for timbre in timbres]
        self._vectors = full_vectors(timbres)
        self._table = lru_cache(256)(self._moments)
        self._resting = lru_cache(512)(lambda vector, key: np.array(self.at(np.frombuffer(vector)[None], key)))

    def _moments(self, key: float) -> NDArray[np.float64]:
        return np.array([entry(key) if entry else np.zeros(MOMENTS) for entry in self._entries])

    def resting(self, vector: NDArray[np.float64], key: float) -> NDArray[np.float64]:
        """(12, 1) the values of `Deviation` at a point (Z,) for a key, a MIDI note number."""
        values: NDArray[np.float64] = self._resting(vector.tobytes(), key)
        return values

    def at(self, vectors: NDArray[np.float64], key: float) -> Deviation:
        """The deviations of shape (T,) at points (T, Z); not cached, unlike `resting`."""
        points = fitted(vectors, self._vectors.shape[1])
        return from_moments(nearest_shares(points, self._vectors) @ self._table(key))


def nearest_shares(points: NDArray[np.float64], known: NDArray[np.float64]) -> NDArray[np.float64]:
    """(T, N) shares of N known points (N, Z) at points (T, Z), which sum to 1.

    The nearest three have weights that reach zero at the distance of the fourth (Franke and Nielson 1980, Int. J.
    Numer. Meth. Eng. 15, 1691). So shares are continuous, and those of a known point are its own alone.
    """
    distances = np.sqrt(np.square(points[:, None] - known).sum(-1)) + 1e-9
    last = min(_NEIGHBOURS, len(known) - 1)
    radius = np.partition(distances, last, -1)[:, last, None] if last >= _NEIGHBOURS else 2 * distances.max()
    weights = np.square(np.maximum(1 / distances - 1 / radius, 0))
    weights[~weights.any(-1)] = 1
    return np.asarray(weights / weights.sum(-1, keepdims=True))


def deviations_of(timbres: Sequence[TimbreDefinition]) -> TimbreDeviations | None:
    """The deviations of a model's timbres, None if every pitch is exact."""
    return TimbreDeviations(timbres) if any(timbre.deviation for timbre in timbres) else None
