"""The clock of the compiled effects: their position in samples, and whether there is anything to compute."""

from __future__ import annotations

import numpy as np

QUANTUM = 64  # samples of the clock; everything changes at its multiples
PIECE_SAMPLES = 4096  # the most that is computed at once
FADE_SAMPLES = 2048  # crossfade from old to new delays
QUIET = 1e-5  # -100 dB: after everything has been below it for long enough, nothing is computed
# `clock`: samples so far, samples below `QUIET` so far, samples of a fade that are left, whether anything is computed
POSITION, QUIET_FOR, FADE_LEFT, AWAKE, CLOCK = 0, 1, 2, 3, 4
NOW, STEP, TARGET = 0, 1, 2  # rows of `levels`


class Clocked:
    """An effect whose compiled loop advances `_clock`."""

    def __init__(self) -> None:
        self._clock = np.zeros(CLOCK, np.int64)

    @property
    def silent(self) -> bool:
        """Whether no tail is ringing."""
        return not self._clock[AWAKE]

    def skip(self, samples: int) -> None:
        """Advance the clock over silence, without computing anything."""
        self._clock[POSITION] += samples
