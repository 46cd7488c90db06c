"""Effects of a texture's controls in addition to the features that its networks read.

The networks are conditioned on measures of the recordings, in which some controls have little effect of their own:

* `size`: in training, slower recordings are duller, which `sharpness` already describes; at equal sharpness, `size`
  makes some timbres brighter. So the sharpness that the networks see falls as size grows, by as much as in the
  recordings, eight bands per octave. Motion slows down.
* `tonality` and `roughness` mostly change the residual that the networks sample, and a timbre with motion keeps little
  of it. So tonality also raises or flattens the peaks of the spectrum. Roughness also scales the fast part of the
  motion; above its typical value it adds flicker, below it reduces the residual.

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
_FLICKER_OF_MOTION, _FLICKER_OF_RESIDUAL = 0.8, 1.0  # octaves
_FLICKER_DB = 3.0  # added at most: more of the residual would raise single bands, whose spread is large
_STREAM = 5  # of random numbers; the voice's blocks, take, events and motion have others

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


def shapes_motion(controls: Array) -> NDArray[np.bool_]:
    """(B, K, C) -> (B,) whether a voice's motion differs from that at typical values."""
    return np.asarray((controls[..., [_ROUGHNESS, _SIZE]] != 0.5).any((1, 2)))


def speed_of(controls: Array) -> Array:
    """(..., C) -> speed of the motion, 0.7 to 1.4."""
    return np.asarray(2 ** (0.5 - controls[..., _SIZE]))


def flicker_of(controls: Array) -> Array:
    """(..., C) -> factor of the fast part of the motion, 0.6 to 1.7."""
    return np.asarray(2 ** (_FLICKER_OF_MOTION * (2 * controls[..., _ROUGHNESS] - 1)))


def smooth_gain(controls: Array, gain: Float | None) -> Float | None:
    """(B, M) gain of the residual or None for 1 -> (B, K, M), (B, K, 1) or None: less where roughness is low."""
    smooth = np.minimum(2 * controls[..., _ROUGHNESS, None] - 1, 0)
    if not smooth.any():
        return None if gain is None else gain[:, None]
    return ((1.0 if gain is None else gain[:, None]) * 2 ** (_FLICKER_OF_RESIDUAL * smooth)).astype(np.float32)


def with_flicker(motion_db: Array, frames: NDArray[np.int64], controls: Array, seed: int) -> Array:
    """Motion (K, M) in dB, which flickers by up to 3 dB in every band where roughness (K, C) is above typical.

    The same for a seed and a frame (K,), counted from the onset, whatever the roughness before.
    """
    rough = np.maximum(2 * controls[..., _ROUGHNESS] - 1, 0) * (frames >= 0)
    if not rough.any():
        return motion_db
    drawn = [np.random.default_rng([seed, _STREAM, frame]) for frame in frames.clip(0).tolist()]
    noise = np.stack([rng.standard_normal(motion_db.shape[1]) for rng in drawn])
    return motion_db + _FLICKER_DB * rough[:, None] * noise
