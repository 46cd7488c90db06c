"""An output without a sound card: the computer's clock empties the ring, in packets of 16-bit samples."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from cmaudio.faults import Faults, as_warning
from cmaudio.output.callback import output_callback
from cmaudio.output.ring import Ring
from cmaudio.signal.pairs import sum_of_pairs
from cmaudio.system import raise_thread_priority

PACKET_SECONDS = 0.02
_LATE_SECONDS = 0.2  # if this late, the machine has slept: restart the clock
NAME = "this page"


class ClockStream:
    """Empties a ring like a sound card's callback.

    Args:
        ring: the player's ring of samples.
        sample_rate: in Hz.
        on_packet: called with each packet: int16, little endian, `PACKET_SECONDS` long, sides interleaved; of several
            pairs, their sum.
    """

    def __init__(self, ring: Ring, sample_rate: int, on_packet: Callable[[bytes], None]) -> None:
        self.sample_rate, self.device_name, self.replaceable = sample_rate, NAME, False
        self._ring, self._on_packet = ring, on_packet
        ring.channels, ring.first_output = ring.source_channels, 0
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="cmaudio-clock", daemon=True)
        output_callback()  # compile it before the clock runs

    @property
    def active(self) -> bool:
        """Whether samples are being taken."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Start taking samples."""
        self._thread.start()

    def close(self) -> None:
        """Stop taking samples."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()

    def abandon(self) -> bool:
        """There is no device that could end."""
        return False

    def _run(self) -> None:
        raise_thread_priority()
        samples = round(PACKET_SECONDS * self.sample_rate)
        callback, due, faults = output_callback(), time.monotonic(), Faults(as_warning)
        while not self._ending.is_set():
            played = callback.drive(self._ring, samples)
            packet = np.round(sum_of_pairs(played) * 32767).astype("<i2").tobytes()
            faults.attempt("the page hears nothing", self._on_packet, packet)
            due += samples / self.sample_rate
            wait_s = due - time.monotonic()
            if wait_s < -_LATE_SECONDS:
                due = time.monotonic()
            elif wait_s > 0:
                self._ending.wait(wait_s)


class ClockOutput:
    """Opens clock streams, as an `OpenStream`. `on_packet` may be replaced at any time."""

    def __init__(self) -> None:
        self.on_packet: Callable[[bytes], None] = lambda packet: None

    def __call__(
        self, ring: Ring, sample_rate: int, device: str | int | None, period_samples: int, rescan: bool
    ) -> ClockStream:
        return ClockStream(ring, sample_rate, lambda packet: self.on_packet(packet))
