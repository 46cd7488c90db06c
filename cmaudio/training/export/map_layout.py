"""Points on a plane with the distances of sounds: metric multidimensional scaling by majorisation.

De Leeuw (1977), "Applications of convex analysis to multidimensional scaling", starting from classical scaling
(Torgerson 1952). Families are kept together by a gap that is added between sounds of different families.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

_FAMILY_GAP = 0.6  # of the median distance
_ROUNDS = 300
_NEAREST = 1e-9

Array = NDArray[np.float64]


def sound_distances(pictures: NDArray[np.floating]) -> Array:
    """(N, D) dB -> (N, N) root mean square differences in dB."""
    rows = pictures.astype(np.float64)
    squares = np.square(rows).sum(-1)
    products = squares[:, None] + squares - 2 * rows @ rows.T
    np.fill_diagonal(products, 0)
    return np.asarray(np.sqrt(np.maximum(products, 0) / rows.shape[1]))


def map_places(distances: Array, families: Sequence[Hashable]) -> Array:
    """(N, N) distances of sounds -> (N, 2) places within -1..1, families next to each other."""
    different = np.array([[a != b for b in families] for a in families])
    wanted = distances + _FAMILY_GAP * np.median(distances) * different
    places = _classical(wanted)
    count = len(places)
    for _ in range(_ROUNDS):
        ratio = wanted / np.maximum(_apart(places), _NEAREST)
        np.fill_diagonal(ratio, 0)
        places = (ratio.sum(1)[:, None] * places - ratio @ places) / count  # the Guttman transform
    places -= (places.max(0) + places.min(0)) / 2
    return np.asarray(places / max(float(np.abs(places).max()), _NEAREST))


def _classical(distances: Array) -> Array:
    """(N, N) -> (N, 2), the largest entry of each axis positive on every machine."""
    count = len(distances)
    centre = np.eye(count) - 1 / count
    values, vectors = np.linalg.eigh(-0.5 * centre @ np.square(distances) @ centre)
    axes = vectors[:, [-1, -2]] * np.sqrt(np.maximum(values[[-1, -2]], 0))
    return np.asarray(axes * np.sign(axes[np.abs(axes).argmax(0), [0, 1]]))


def _apart(places: Array) -> Array:
    return np.asarray(np.sqrt(np.square(places[:, None] - places).sum(-1)))
