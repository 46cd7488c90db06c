"""By how much more noise a timbre has between its partials than the vocoder gives it.

A vocoder hears only a mel spectrum, in which a breathy flute and a pure tone are alike wherever a band contains several
partials. So the share of noise between the partials is compared (`cmaudio.signal.noise_share`).

Shapes: N notes, P parts of the spectrum, K keys.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cmaudio.training.export.key_grid import Array, KeyGrid, KeyPull, regressed
from cmaudio.training.export.spectrum_parts import PARTS

_MOST_DB = 30.0
_PULL = KeyPull(same_keys=0.5, same_velocities=2.0, prior=0.1)


def noise_offsets(grid: KeyGrid, places: Array, recorded: Sequence[Array], made: Sequence[Array]) -> Array:
    """(K, P) dB to add to the noise of each key of a timbre; 0 where nothing is known.

    Args:
        grid: of the timbre.
        places: (N, 2) pitch and velocity of each note.
        recorded: (P,) share of noise in each recorded note.
        made: the same as played.
    """
    off = 10 * np.log10(np.stack(recorded) / np.stack(made))
    known = np.isfinite(off)
    off = np.clip(np.where(known, off, 0.0), -_MOST_DB, _MOST_DB)
    values = regressed(grid.shares(*places.T), off, known.astype(np.float64), grid.pull(_PULL))
    return np.asarray(values.reshape(*grid.shape, PARTS).mean(1))
