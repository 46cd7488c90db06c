"""Partials made up of layers: several players, detuned reeds or strings, rotating what would be one steady tone.

Shapes: L layers, the first of which prevails where partials only beat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Complex, Float

LAYERS = 4


def layered(radians: Float, moving: Float | np.float32, turning: Float | np.float32) -> Complex:
    """What a partial is multiplied by, of a mean square of 1.

    Args:
        radians: (L, ...) by which each layer is ahead of the steady part.
        moving: (...) share of the power that is in the layers.
        turning: (...) 1 where each layer turns by itself, so that the partial moves in frequency as well; 0 where there
            is a mirror image to what there is, which beats in strength alone: one pair about the steady part.
    """
    others = np.ones(len(radians) - 1, np.float32)
    power = (1 + len(others) * np.square(turning)) * (1 + np.square(turning)) / 2
    first = np.sqrt(moving / power)
    shape = (-1, *([1] * (radians.ndim - 1)))
    rest = first * turning * others.reshape(shape)
    sums = np.empty(np.broadcast_shapes(radians.shape[1:], np.shape(moving)), np.complex64)
    sums.real = np.sqrt(1 - moving) + first * np.cos(radians[0]) + (rest * np.cos(radians[1:])).sum(0)
    sums.imag = turning * (first * np.sin(radians[0]) + (rest * np.sin(radians[1:])).sum(0))
    return sums


def layer_offsets(rng: np.random.Generator) -> NDArray[np.float64]:
    """(L,) where the layers lie, of mean 0 and variance 1; the first is one standard deviation off."""
    rest = rng.standard_normal(LAYERS - 1)
    first = np.sign(rng.standard_normal())
    middle = -first / len(rest)
    rest -= rest.mean()
    rest *= np.sqrt((LAYERS - 1 - len(rest) * middle**2) / np.square(rest).sum())
    return np.concatenate([[first], middle + rest])
