"""Courses of a texture's motion: read between frames, and smoothed.

Shapes: T frames of a course, R directions, K places.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STREAM = 3
"""Of random numbers, for motion of any kind; the voice's blocks, take, events and flicker have others."""
_SLOW_FRAMES = 9  # a tenth of a second

Array = NDArray[np.float64]


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
