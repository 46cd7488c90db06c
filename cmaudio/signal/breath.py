"""Where the noise between partials is measured, in training and in reports: breath, bow and hammer noise.

A long window separates it from the partials, if these are far enough apart.
"""

from __future__ import annotations

from typing import Any

WINDOW = 8192  # samples at 48 kHz; it resolves partials 70 Hz apart
LOWEST_PERIODS = 12  # of the pitch in a window
LEAST_SHARE = 1e-5  # of the power of its part of the spectrum; less is masked by the partials
_BETWEEN = (0.35, 0.65)


def is_between(harmonic: Any) -> Any:
    """Whether frequencies, in multiples of the pitch, lie about half way between two partials; arrays or tensors."""
    place = harmonic % 1
    return (place > _BETWEEN[0]) & (place < _BETWEEN[1])
