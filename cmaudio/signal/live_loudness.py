"""Live loudness: momentary (0.4 s) and short-term (3 s), ITU-R BS.1770-4 and EBU Tech 3341, without gating.

Shapes: N samples, C channels, all of weight 1.
"""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float
from cmaudio.signal.loudness import weighting_sections

MOMENTARY_SECONDS, SHORT_SECONDS = 0.4, 3.0
_STEP_SECONDS = 0.01
_OFFSET_DB = -0.691
SILENT_LUFS = -100.0


class LiveLoudness:
    """Measures samples in blocks of any size.

    Args:
        sample_rate: Hz.
        channels: C.
    """

    def __init__(self, sample_rate: int, channels: int) -> None:
        self._step = round(_STEP_SECONDS * sample_rate)
        self._sections = weighting_sections(sample_rate)  # (2, 6): b0 b1 b2 1 a1 a2
        self._state = np.zeros((len(self._sections), 2, channels))
        self._powers = deque[float](maxlen=round(SHORT_SECONDS / _STEP_SECONDS))
        self._rest = np.zeros((0, channels))

    def add(self, samples: Float) -> None:
        """Samples (N,) or (N, C), the next ones."""
        from cmaudio.signal.biquad import filtered  # imports numba

        new = np.asarray(samples, np.float64).reshape(len(samples), self._state.shape[2])
        for section, state in zip(self._sections, self._state, strict=True):
            new = filtered(new, section, state)
        weighted = np.concatenate([self._rest, new])
        whole = len(weighted) // self._step * self._step
        steps = weighted[:whole].reshape(-1, self._step, weighted.shape[1])
        self._powers.extend(np.square(steps).sum(2).mean(1).tolist())
        self._rest = weighted[whole:]

    @property
    def momentary(self) -> float:
        """LUFS of the last 0.4 s, at least `SILENT_LUFS`."""
        return self._over(MOMENTARY_SECONDS)

    @property
    def short_term(self) -> float:
        """LUFS of the last 3 s, at least `SILENT_LUFS`."""
        return self._over(SHORT_SECONDS)

    def _over(self, seconds: float) -> float:
        count = round(seconds / _STEP_SECONDS)
        recent: NDArray[np.float64] = np.array(self._powers)[-count:]
        power = recent.sum() / count  # before the start it was silent
        return float(max(SILENT_LUFS, _OFFSET_DB + 10 * np.log10(power + 1e-20)))
