"""Chorus: each side is doubled by two copies with independently modulated delays."""

from __future__ import annotations

import math

import numpy as np

from cmaudio.effects import chorus_kernel as kernel
from cmaudio.effects.unit_clock import QUANTUM, Clocked
from cmaudio.signal.dsp import Float

_DELAYS_MS = (11.0, 17.0, 13.0, 19.0)  # two voices on the left, two on the right
_RATES_HZ = (0.53, 0.37, 0.47, 0.61)
_DEPTH_MS = 2.2
_LONGEST_MS = max(_DELAYS_MS) + _DEPTH_MS


class Chorus(Clocked):
    """Four modulated delays; the sum of two has the level of the input.

    Args:
        sample_rate: Hz.
        seed: start phases of the modulation.
    """

    def __init__(self, sample_rate: int, seed: int = 0) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        longest = _LONGEST_MS * sample_rate / 1000
        self._lines = np.zeros((2, 2 ** math.ceil(math.log2(longest + QUANTUM + 4))), np.float32)
        self._memory = math.ceil(longest)
        self._swings = np.zeros((kernel.VOICES, 6))
        self._swings[:, kernel.CENTRE] = np.array(_DELAYS_MS) * sample_rate / 1000
        self._swings[:, kernel.DEPTH] = _DEPTH_MS * sample_rate / 1000
        self._swings[:, kernel.RATE] = np.array(_RATES_HZ) / sample_rate
        self._swings[:, kernel.PHASE] = np.random.default_rng((seed, 0xC405)).random(kernel.VOICES)

    @property
    def tail(self) -> float:
        """Seconds until it is silent after its input."""
        return _LONGEST_MS / 1000

    def process(self, x: Float, out: Float) -> None:
        """Add the chorus of `x` (n, 2) to `out` (n, 2)."""
        kernel.chorus(x, out, self._lines, self._swings, self._clock, self._memory)
