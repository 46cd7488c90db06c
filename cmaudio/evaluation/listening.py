"""Reads an engine and keeps track of the position of its samples on the engine's clock."""

from __future__ import annotations

import numpy as np

from cmaudio.engine.engine import Engine
from cmaudio.signal.dsp import Float

_QUIET_STEP_SAMPLES = 1024


class Listener:
    """`position` is the clock time of the next sample that is read."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.position = -engine.latency_samples

    def until(self, time: int) -> Float:
        """The samples up to (not including) `time` on the engine's clock."""
        samples = self.engine.read(max(0, time - self.position))
        self.position += len(samples)
        return samples

    def hush(self) -> None:
        """Panic, and read until nothing sounds and the limiter is empty."""
        self.engine.panic()
        self.until(self.position + _QUIET_STEP_SAMPLES)
        while not self.engine.idle or np.abs(self.until(self.position + _QUIET_STEP_SAMPLES)).max() > 0:
            pass
