"""How far away a voice sounds: what arrives directly falls with the distance, what the room returns hardly does.

Distance goes from 0, where nothing changes, to 1, sixteen times as far: the direct sound follows the inverse distance
law, air takes the highs, and the reverb, which is about equally loud everywhere in a room, is sent a level of its own.
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
    """What the distance adds to the level sent to the reverb: it rises soon, since a room answers at once."""
    return _DIFFUSE * distance * (2 - distance)


def sent_level(name: str, level: Float | float, distance: Float | float) -> Float | float:
    """What a voice sends to an effect: from afar less, except to the reverb, which gets the room's answer as well."""
    if isinstance(distance, float) and not distance:
        return level
    return level + diffuse_level(distance) if name == "reverb" else level * direct_gain(distance)


def air_tilt(distance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Brightness in dB per octave that the air takes."""
    return _AIR_DB_PER_OCTAVE * distance
