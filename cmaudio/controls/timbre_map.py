"""The timbre space as a plane: the positions of the named timbres, and the timbre at any point between them.

Positions come from the model file (`cmaudio.training.export.timbre_places`: similar timbres are neighbours) or else
from the first two principal components of the timbre vectors. They are then pushed apart until every name has room. A
point of the plane is a mix of the names around it by inverse squared distance (Shepard 1968), so each name is exact.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.manifest import TimbreDefinition
from cmaudio.model.timbres import fitted, full_vectors

_NEIGHBOURS = 4
_ROUNDS = 200
_AT_A_NAME = 1e-9


class TimbreMap:
    """The named timbres on a plane.

    Attributes:
        names: of the timbres.
        vectors: (timbres, Z) their points in the timbre space.
        places: (timbres, 2) their positions, within -1..1.
    """

    def __init__(self, timbres: Sequence[TimbreDefinition]) -> None:
        self.names = [timbre.name for timbre in timbres]
        self.vectors = full_vectors(timbres)
        known = [timbre.place for timbre in timbres if timbre.place is not None]
        given = np.array(known) if len(known) == len(timbres) else _principal_places(self.vectors)
        self.places = _spread(given)

    def vector(self, x: float, y: float) -> NDArray[np.float64]:
        """(Z,) timbre at a point of the plane."""
        weights = self._weights(x, y)
        return np.asarray(weights @ self.vectors)

    def mix(self, x: float, y: float) -> dict[str, float]:
        """The mix at a point as names and weights that add up to 1, the heaviest first."""
        weights = self._weights(x, y)
        order = [int(i) for i in np.argsort(-weights) if weights[i] > 0]
        return {self.names[i]: float(weights[i]) for i in order}

    def near(self, x: float, y: float, count: int) -> list[str]:
        """The `count` names nearest to a point of the plane, the nearest first, without a name at the point itself."""
        distances = np.square(self.places - (x, y)).sum(-1)
        order = [int(i) for i in np.argsort(distances, kind="stable") if distances[i] >= _AT_A_NAME]
        return [self.names[i] for i in order[:count]]

    def place(self, vector: NDArray[np.float64]) -> tuple[float, float]:
        """The point of the plane for a timbre (Z,): its nearest names, weighted by proximity."""
        distances = np.square(self.vectors - fitted(vector, self.vectors.shape[1])).sum(-1)
        x, y = _near(distances, _NEIGHBOURS) @ self.places
        return float(x), float(y)

    def _weights(self, x: float, y: float) -> NDArray[np.float64]:
        return _near(np.square(self.places - (x, y)).sum(-1), _NEIGHBOURS)


def _near(squared_distances: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Weights of the nearest points, which add up to 1; a point at distance 0 gets all of it."""
    weights = np.zeros(len(squared_distances))
    order = np.argsort(squared_distances, kind="stable")
    if squared_distances[order[0]] < _AT_A_NAME:
        weights[order[0]] = 1.0
        return weights
    nearest = order[:count]
    # Subtracting the weight of the first excluded name avoids a jump where it replaces another.
    beyond = 1 / squared_distances[order[count]] if len(order) > count else 0.0
    weights[nearest] = 1 / squared_distances[nearest] - beyond
    total = weights.sum()
    if total <= 0:
        weights[nearest] = 1.0
        total = float(len(nearest))
    return weights / total


def _principal_places(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, 2): each axis by rank, so that one outlier does not squeeze the others together."""
    places = np.zeros((len(vectors), 2))
    if len(vectors) < 2:
        return places
    _, _, axes = np.linalg.svd(vectors - vectors.mean(0), full_matrices=False)
    for column in range(min(2, len(axes))):
        # The sign of an axis is arbitrary: the largest entry points up, on every machine.
        axis = axes[column] * np.sign(axes[column][np.abs(axes[column]).argmax()])
        ranks = np.argsort(np.argsort(vectors @ axis, kind="stable"), kind="stable")
        places[:, column] = 2 * ranks / (len(vectors) - 1) - 1
    return places


def _spread(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Push apart points that are closer than an even share of the plane, within -1..1."""
    count = len(places)
    if count < 2:
        return places
    room = 1.6 / np.sqrt(count)
    for _ in range(_ROUNDS):
        offsets = places[:, None] - places
        distance = np.sqrt(np.square(offsets).sum(-1))
        np.fill_diagonal(distance, np.inf)
        push = np.maximum(0, room - distance) / np.maximum(distance, 1e-6)
        places = np.clip(places + 0.25 * (offsets * push[..., None]).sum(1), -1, 1)
    return places
