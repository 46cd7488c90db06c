"""The loop of the synthesis thread: reads the source chunk by chunk to keep the output buffer full."""

from __future__ import annotations

import threading
import time

import numpy as np
import numpy.typing as npt

from cmaudio.output.outlet import Outlet
from cmaudio.output.sample_clock import SampleClock
from cmaudio.output.source import Source

_CATCH_UP_LIMIT_S = 0.5  # of sound produced without a pause after the device was lost
_LOAD_MEMORY_S = 1.0


class Feeder:
    """Reads `source` into the outlet's current stream, or discards it in real time while there is none.

    Attributes:
        wake: set it to end a sleep.
        clock: maps times of `time.perf_counter` to the source's samples heard then.
    """

    def __init__(self, source: Source, outlet: Outlet, chunk_samples: int) -> None:
        self._source, self._outlet, self._chunk_samples = source, outlet, chunk_samples
        self._chunk_s = chunk_samples / source.sample_rate
        self.wake = threading.Event()
        self.clock = SampleClock(source.sample_rate)
        self._read_samples = 0
        self._prepared_s = 0.0  # spent on preparing since the last read
        self._busy_s, self._made_s = 0.0, 0.0  # decaying sums

    @property
    def load(self) -> float:
        """Compute time divided by the duration of the sound it produced."""
        return self._busy_s / self._made_s if self._made_s else 0.0

    def step(self) -> None:
        """Read a chunk if one is needed now, else prepare, else sleep until one may be needed."""
        stream = self._outlet.current
        unheard = stream.ring.readable * self._source.sample_rate / stream.rate if stream else 0.0
        self.clock.update(time.perf_counter(), self._read_samples - unheard)
        if stream is None:  # the device is lost: keep the clock running
            wait_s = self._outlet.due_s - time.monotonic()
            if wait_s <= 0:
                self._read()
                self._outlet.due_s = max(self._outlet.due_s, time.monotonic() - _CATCH_UP_LIMIT_S) + self._chunk_s
        elif stream.wants_more():
            samples = self._read()
            if stream.behind:  # before the write, when the buffer is at its emptiest
                self._source.on_overload()
            stream.write(samples)
            wait_s = 0.0
        else:
            began_s = time.perf_counter()
            wait_s = 0.0 if self._source.prepare() else self._chunk_s / 2
            self._prepared_s += time.perf_counter() - began_s
        if wait_s > 0 and self.wake.wait(wait_s):
            self.wake.clear()

    def _read(self) -> npt.NDArray[np.float32]:
        began_s = time.perf_counter()
        samples = self._source.read(self._chunk_samples)
        self._read_samples += len(samples)
        busy_s, self._prepared_s = time.perf_counter() - began_s + self._prepared_s, 0.0
        keep = 1 - min(1.0, self._chunk_s / _LOAD_MEMORY_S)
        self._busy_s, self._made_s = keep * self._busy_s + busy_s, keep * self._made_s + self._chunk_s
        return samples
