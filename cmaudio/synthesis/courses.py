"""Courses of a texture's motion: the controls that shape them; reading between frames, and smoothing.

Shapes: T frames of a course, R directions, K places, or frames of a block.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

STREAM = 3
"""Of random numbers, for motion of any kind; the voice's blocks, take, events and flicker have others."""
_SLOW_FRAMES = 9  # a tenth of a second

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MotionControls:
    """How a voice's motion is played in a block.

    Attributes:
        density: (K,) 0..1 events, 0.5 as many as were recorded; one-shots, which are single events, ignore it.
        humanity: (K,) scales how far voices deviate from the median of the recordings, or one-shots from their mean.
        speed: (K,) of the motion; None: 1.
        flicker: (K,) scales what changes within a tenth of a second; None: 1.
    """

    density: Array
    humanity: Array
    speed: Array | None = None
    flicker: Array | None = None

    def at(self, frames: NDArray[np.bool_]) -> MotionControls:
        """The controls of some of the frames."""
        speed, flicker = (None if each is None else each[frames] for each in (self.speed, self.flicker))
        return MotionControls(self.density[frames], self.humanity[frames], speed, flicker)

    def with_flicker(self, course: Array, slow: Callable[[], Array]) -> Array:
        """(K, R) a course, with its difference to its slow part scaled."""
        if self.flicker is None or not (self.flicker != 1).any():
            return course
        steady = slow()
        return steady + self.flicker[:, None] * (course - steady)


def held_at(course: Array, places: NDArray[np.int64] | Array) -> Array:
    """(T, R) course at places (K,) in frames, not negative -> (K, R), interpolated; the last frame is held."""
    low = np.minimum(places.astype(np.int64), len(course) - 1)
    if places.dtype.kind == "i":
        return course[low]
    share = (places - low)[:, None].clip(0, 1)
    found: Array = (1 - share) * course[low] + share * course[np.minimum(low + 1, len(course) - 1)]
    return found


def slow_part(course: Array) -> Array:
    """(T, R) means over a tenth of a second, the ends held."""
    half = _SLOW_FRAMES // 2
    padded = np.pad(course, ((half, half), (0, 0)), mode="edge")
    found: Array = np.lib.stride_tricks.sliding_window_view(padded, _SLOW_FRAMES, axis=0).mean(-1)
    return found
