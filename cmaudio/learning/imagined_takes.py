"""Takes of a one-shot as they might have been recorded, imagined from a single recording.

Takes of the same sound, such as the steps of a sample library, differ mostly in level, in colour and in how long they
last. Each imagined take is the recording with a level, a smooth curve over the bands and a duration drawn from normal
distributions, and each has a counterpart with the opposite differences, so that their mean stays the recording.

Shapes: T frames, M mel bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.learning.example import DB
from cmaudio.signal.dsp import Float

# Standard deviations: the medians of 34 families of takes from which the embedded textures were made.
_LEVEL_DB, _COLOUR_DB, _DURATION_OCTAVES = 2.2, 4.0, 0.33
_PAIRS = 4
_CURVES = 5  # cosines over the bands
_FADE_NEPERS = 2.3  # above the floor, over which the differences fade in: silence stays silent

Array = NDArray[np.float64]


def imagined_takes(mel: Float, floor: float) -> list[Float]:
    """Eight takes (T, M), always the same for a recording (T, M) of log-mel with this floor."""
    rng = np.random.default_rng(0)
    bands = (np.arange(mel.shape[1]) + 0.5) / mel.shape[1]
    cosines = np.sqrt(2 / _CURVES) * np.cos(np.pi * np.arange(1, _CURVES + 1)[:, None] * bands)
    takes = []
    for level, octaves, *curve in rng.standard_normal((_PAIRS, 2 + _CURVES)):
        difference = (_LEVEL_DB * level + _COLOUR_DB * np.array(curve) @ cosines) / DB
        takes += [_differing(mel, sign * difference, sign * _DURATION_OCTAVES * octaves, floor) for sign in (1, -1)]
    return takes


def _differing(mel: Float, difference: Array, octaves: float, floor: float) -> Float:
    """(T, M) plus (M,) nepers, lasting longer by so many octaves."""
    place = np.arange(round(len(mel) * 2**octaves)) / 2**octaves
    low = np.minimum(place.astype(int), len(mel) - 1)
    share = (place - low)[:, None].clip(0, 1)
    stretched = (1 - share) * mel[low] + share * mel[np.minimum(low + 1, len(mel) - 1)]
    audible = np.clip((stretched - floor) / _FADE_NEPERS, 0, 1)
    found: Float = np.maximum(stretched + audible * difference, floor).astype(np.float32)
    return found
