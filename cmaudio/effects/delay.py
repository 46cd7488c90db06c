"""A tempo-synchronised delay: damped echoes, ping-pong or separate for each side."""

from __future__ import annotations

import math

import numpy as np

from cmaudio.effects import delay_kernel as kernel
from cmaudio.effects.unit_clock import QUANTUM, TARGET, Clocked
from cmaudio.signal.dsp import Float

LONGEST_SECONDS = 6.0
_SMOOTHING_SECONDS = 0.02
_QUIET_DB = 100.0


class Delay(Clocked):
    """Two delay lines with feedback, each through a low-pass.

    Args:
        sample_rate: Hz.
    """

    def __init__(self, sample_rate: int) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        capacity = 2 ** math.ceil(math.log2(LONGEST_SECONDS * sample_rate + QUANTUM))
        self._lines = np.zeros((2, capacity), np.float32)
        self._taps = np.zeros(3, np.int64)  # before and after a crossfade, and the next target
        self._levels = np.zeros((3, kernel.LEVELS), np.float32)
        self._state = np.zeros(2, np.float32)  # of the low-passes
        self._smoothing = 1 - math.exp(-QUANTUM / (_SMOOTHING_SECONDS * sample_rate))
        self.set()

    def set(self, seconds: float = 0.375, feedback: float = 0.35, damping: float = 0.4, ping_pong: float = 1.0) -> None:
        """Change the echoes, smoothly from the next quantum on.

        Args:
            seconds: between echoes; halved until they fit into `LONGEST_SECONDS`, so that they stay in time.
            feedback: 0 to 0.95: gain from one echo to the next.
            damping: 0 to 1: loss of treble from one echo to the next.
            ping_pong: 1: the mono sum starts on the left and alternates; 0: each side has its own echoes.
        """
        while seconds > LONGEST_SECONDS:
            seconds /= 2
        self._seconds, self._feedback = max(seconds, 0.001), feedback
        self._taps[2] = max(1, round(self._seconds * self.sample_rate))
        levels = self._levels[TARGET]
        cutoff_hz = min(18_000 * (900 / 18_000) ** damping, 0.4 * self.sample_rate)
        levels[kernel.FEEDBACK], levels[kernel.CROSS] = feedback, ping_pong
        levels[kernel.FOLLOW] = 1 - math.exp(-2 * math.pi * cutoff_hz / self.sample_rate)

    @property
    def tail(self) -> float:
        """Seconds until the input has decayed by 100 dB."""
        echoes = 1 + (_QUIET_DB / (-20 * math.log10(self._feedback)) if self._feedback > 0 else 0)
        return self._seconds * math.ceil(echoes)

    def process(self, x: Float, out: Float) -> None:
        """Add the echoes of `x` (n, 2) to `out` (n, 2)."""
        kernel.delay(x, out, self._lines, self._taps, self._levels, self._state, self._clock, self._smoothing)
