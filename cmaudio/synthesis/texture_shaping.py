"""What the controls of a texture change beside the features of its networks.

The networks were conditioned on what was measured on recordings, where some controls have little effect of their own:

* `size`: in training, a slower recording is duller, and `sharpness` says so already; at equal sharpness, `size` makes
  some timbres brighter. So the sharpness that the networks see falls as size grows, by as much as in the recordings,
  eight bands per octave. Motion slows down.
* `tonality` and `roughness` move what is sampled about the median, of which motion leaves little. So tonality also
  raises or flattens the peaks of the spectrum, and roughness the flicker of residual and motion.

At the typical value, 0.5, nothing changes.

Shapes: B voices, K frames, C controls, M mel bands.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.synthesis.texture_features import TEXTURE_CONTROLS

_SHARPNESS, _TONALITY, _ROUGHNESS, _SIZE = map(TEXTURE_CONTROLS.index, ("sharpness", "tonality", "roughness", "size"))
_DULLER_BY_SIZE = 0.6  # of sharpness
_LEAST_RESONANCE, _MOST_RESONANCE = -0.35, 0.8  # below, the ripple of the vocoder itself stands out
_FLICKER_OCTAVES, _ADDED = 1.5, 0.5  # of the residual, at most
_FLICKER_OF_MOTION = 0.8

Array = NDArray[np.float64]


def seen_by_networks(controls: Array) -> Array:
    """(..., C) controls 0..1 as players set them -> as the networks are conditioned on them."""
    seen = controls.copy()
    seen[..., _SHARPNESS] -= _DULLER_BY_SIZE * (controls[..., _SIZE] - 0.5)
    return np.clip(seen, 0, 1)


def resonance_of(controls: Array) -> Array:
    """(..., C) -> -0.35..0.8, see `cmaudio.synthesis.spectrum_shaping`."""
    tonal = 2 * controls[..., _TONALITY] - 1
    return np.asarray(tonal * np.where(tonal < 0, -_LEAST_RESONANCE, _MOST_RESONANCE))


def speed_of(controls: Array) -> Array:
    """(..., C) -> speed of the motion, 0.7 to 1.4."""
    return np.asarray(2 ** (0.5 - controls[..., _SIZE]))


def flicker_of(controls: Array) -> Array:
    """(..., C) -> factor of the fast part of the motion, 0.6 to 1.7."""
    return np.asarray(2 ** (_FLICKER_OF_MOTION * (2 * controls[..., _ROUGHNESS] - 1)))


def rough_gain(controls: Array, gain: Float | None) -> Float | None:
    """(B, K, C) controls, (B, M) gain of the residual or None for 1 -> (B, K, M), (B, K, 1) or None."""
    rough = 2 * controls[..., _ROUGHNESS, None] - 1
    if not rough.any():
        return None if gain is None else gain[:, None]
    whole = 1.0 if gain is None else gain[:, None]
    return (whole * 2 ** (_FLICKER_OCTAVES * rough) + _ADDED * np.maximum(rough, 0)).astype(np.float32)
