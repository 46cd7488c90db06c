"""Events of a texture as they play: when they come, and how far each frame rises above what the networks made.

They come as a renewal process whose intervals have a gamma distribution: by chance (Poisson) at a regularity of 0,
nearly like a clock at 1. The control `density` changes their rate while they play.

Shapes: K frames of a block, P parts of the bands.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cmaudio.model.events import Events

_STREAM = 2  # of random numbers, beside those of the voice's blocks and of its take
_OCTAVES = 4.0  # by which density changes the rate from 0 to 1
_MOST_REGULAR = 0.1  # spread of intervals over their mean: a bed does not repeat
_MOST_AT_ONCE = 64

Array = NDArray[np.float64]


class EventTrain:
    """The events of one voice, drawn from its seed.

    Args:
        events: of its timbre.
        seed: of the voice.
        frame_rate: in Hz.
    """

    def __init__(self, events: Events, seed: int, frame_rate: float) -> None:
        self._rng = np.random.default_rng([seed, _STREAM])
        self._shape = max(1 - events.regularity, _MOST_REGULAR) ** -2  # of the gamma distribution
        self._per_frame = events.per_second / frame_rate
        self._heights = np.array(events.heights)
        self._colour = np.array(events.colour_db)
        self._course = np.array(events.course)
        self._left = self._interval() * float(self._rng.random())  # events until the next one
        self._last = -1  # frame
        self._sounding: list[tuple[int, float]] = []  # onset frame, height

    def rise(self, frames: NDArray[np.int64], density: Array) -> Array:
        """(K, P) dB at frames (K,), counted from the onset of the voice; density (K,) 0..1, 0.5 as recorded.

        Blocks are asked for in their order; before the onset, and of frames that were asked for already, it is 0.
        """
        out = np.zeros((len(frames), len(self._colour)))
        for row, frame, asked in zip(out, frames.tolist(), density.tolist(), strict=True):
            if frame <= self._last:
                continue
            self._last = frame
            self._advance(frame, self._per_frame * 2 ** (_OCTAVES * (asked - 0.5)))
            height = max((h * self._course[frame - start] for start, h in self._sounding), default=0.0)
            row += height * self._colour
        return out

    def _advance(self, frame: int, rate: float) -> None:
        self._left -= rate
        while self._left <= 0:
            self._left += self._interval()
            height = float(np.interp(self._rng.random(), np.linspace(0, 1, len(self._heights)), self._heights))
            self._sounding.append((frame, height))
        kept = [one for one in self._sounding if frame - one[0] < len(self._course)]
        self._sounding = kept[-_MOST_AT_ONCE:]

    def _interval(self) -> float:
        """In mean intervals."""
        return max(float(self._rng.gamma(self._shape)) / self._shape, 1e-3) if math.isfinite(self._shape) else 1.0
