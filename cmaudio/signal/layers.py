"""Partials made up of layers, such as several players, detuned reeds or strings, that modulate a steady tone.

Shapes: L layers, the first of which prevails where partials only beat.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Complex, Float

LAYERS = 4


def layered(radians: Float, moving: Float | np.float32, turning: Float | np.float32) -> Complex:
    """The factor of a partial, with a mean square of 1.

    Args:
        radians: (L, ...) phase of each layer relative to the steady part.
        moving: (...) the layers' share of the power.
        turning: (...) 1 if each layer rotates independently, so that the partial also moves in frequency; 0 if it has a
            mirror image, so that the partial only beats in level: one pair about the steady part.
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
    """(L,) offsets of the layers, of mean 0 and variance 1; the first is one standard deviation off."""
    rest = rng.standard_normal(LAYERS - 1)
    first = np.sign(rng.standard_normal())
    middle = -first / len(rest)
    rest -= rest.mean()
    rest *= np.sqrt((LAYERS - 1 - len(rest) * middle**2) / np.square(rest).sum())
    return np.concatenate([[first], middle + rest])
