"""The input features of a texture in each frame, "texture-1" in a manifest.

Shapes: B voices, T frames, C controls, P dimensions of a take.

The first columns are those of an unpitched note (`cmaudio.synthesis.note_features`), so that code which reads a note's
clock works for textures. A steady texture is endless and has no clock: its age is always the maximum. The other columns
are the controls that were measured on the recordings, and the take: a point that says which recordings of the timbre it
resembles.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.signal.texture import MEASURES
from cmaudio.synthesis.note_features import UNPITCHED_SEMITONES, all_note_features

TEXTURE_CONTROLS = (*MEASURES, "size")  # each 0..1, typical at 0.5
TAKE_DIMS = 6
_CLOCKED = 22  # of the note's features; the rest are sines of pitch and velocity
_AGE_SECONDS = 60.0
TEXTURE_KINDS: Mapping[str, int] = {"texture-1": _CLOCKED + 1 + len(TEXTURE_CONTROLS) + TAKE_DIMS}  # numbers per frame

Array = NDArray[np.float64]


def texture_features(
    since_onset: Array, since_release: Array, velocity: Array, steady: NDArray[np.bool_], controls: Array, take: Array
) -> Float:
    """(B, T, 35) float32.

    Args:
        since_onset: (B, T) seconds, negative before.
        since_release: (B, T) seconds, negative before.
        velocity: (B,) 1..127.
        steady: (B, T) whether it has no clock.
        controls: (B, T, C) in the order of `TEXTURE_CONTROLS`.
        take: (B, T, P).
    """
    aged = np.where(steady & (since_onset > 0), np.maximum(since_onset, _AGE_SECONDS), since_onset)
    pitch = np.full(len(velocity), UNPITCHED_SEMITONES)
    note = all_note_features(aged, since_release, np.full(aged.shape, UNPITCHED_SEMITONES), pitch, velocity)
    more = (steady[..., None], 2 * controls - 1, take)
    return np.concatenate([note[..., :_CLOCKED], *(part.astype(np.float32) for part in more)], -1)
