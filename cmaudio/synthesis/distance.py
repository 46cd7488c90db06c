"""Distance of a voice: the direct sound falls with the distance, the reverberant sound hardly does.

Distance ranges from 0, which changes nothing, to 1, sixteen times as far: the direct sound follows the inverse distance
law, air absorbs treble, and the reverb, which is about equally loud everywhere in a room, gets its own send level.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

_DIRECT_DB, _AIR_DB_PER_OCTAVE, _DIFFUSE = -24.0, -2.0, 0.4  # at the greatest distance


def direct_gain(distance: Float | float) -> Float | float:
    """Linear gain of the direct sound, 1 at 0."""
    if isinstance(distance, float) and not distance:
        return 1.0
    return np.exp2(np.float32(_DIRECT_DB / 20 * np.log2(10)) * np.asarray(distance, np.float32))


def diffuse_level(distance: Float | float) -> Float | float:
    """The reverb send that distance adds: it rises steeply at first, since a room responds even to near sources."""
    return _DIFFUSE * distance * (2 - distance)


def sent_level(name: str, level: Float | float, distance: Float | float) -> Float | float:
    """A voice's send level to an effect: it falls with distance, but the reverb gets the diffuse level in addition."""
    if isinstance(distance, float) and not distance:
        return level
    return level + diffuse_level(distance) if name == "reverb" else level * direct_gain(distance)


def air_tilt(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness in dB per octave that the air absorbs."""
    return _AIR_DB_PER_OCTAVE * distance
