"""Ridge regression of values measured on notes: fits a grid of keys and velocities that is interpolated linearly.

A smoothness penalty ties neighbouring points of the grid together. It weighs as much as a fraction of a note, so it
matters only where a corpus has few notes; where it has none, the neighbours determine the value.

Shapes: K keys, V velocities, G = K * V points of the grid, N notes, C values of each note.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cmaudio.model.correction import VELOCITIES
from cmaudio.synthesis.correction import nearness

_LOG_VELOCITIES = np.log(VELOCITIES)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class KeyPull:
    """How strongly a grid is smoothed, in notes.

    Attributes:
        same_keys: penalty of a step from key to key.
        same_velocities: of a bend over velocity.
        prior: of the distance from the value expected without notes.
    """

    same_keys: float
    same_velocities: float
    prior: float


@dataclass(frozen=True)
class KeyGrid:
    """`keys` MIDI note numbers from `lowest_key` on, each at the `VELOCITIES` of a correction."""

    lowest_key: int
    keys: int

    @property
    def shape(self) -> tuple[int, int]:
        """(K, V)."""
        return self.keys, len(VELOCITIES)

    def shares(self, keys: ArrayLike, velocities: ArrayLike) -> Array:
        """(N, G) weights of linear interpolation at notes with these keys (N,) and velocities (N,)."""
        by_key = nearness(np.asarray(keys), self.lowest_key + np.arange(self.keys, dtype=np.float64))
        by_velocity = nearness(np.log(velocities), _LOG_VELOCITIES)
        return np.asarray((by_key[:, :, None] * by_velocity[:, None]).reshape(len(by_key), -1))

    def pull(self, of: KeyPull) -> Array:
        """(G, G) penalty matrix."""
        keys, velocities = self.shape
        between = of.same_keys * np.kron(_roughness(keys, 1), np.eye(velocities))
        bend = _roughness(velocities, 2) + 0.1 * _roughness(velocities, 1)
        over = of.same_velocities * np.kron(np.eye(keys), bend)
        return np.asarray(between + over + of.prior * np.eye(keys * velocities))


def regressed(
    shares: Array, values: NDArray[np.floating], weights: NDArray[np.floating], pull: Array, wanted: Array | float = 0.0
) -> Array:
    """(G, C) values of the grid whose interpolations come nearest to values (N, C) with weights (N, C).

    `wanted`: (G, C), the value of the prior times its penalty.
    """
    right = shares.T @ (weights * values) + wanted
    normal = np.stack([shares.T @ (shares * one[:, None]) for one in weights.T]) + pull
    return np.asarray(np.linalg.solve(normal, right.T[..., None])[..., 0].T)


def _roughness(count: int, order: int) -> Array:
    """(count, count) matrix of the sum of squared differences of an order."""
    steps = np.diff(np.eye(count), order, axis=0) if count > order else np.zeros((0, count))
    return np.asarray(steps.T @ steps)
