"""A ring of samples between the synthesis thread and the sound card, emptied by a `cmaudio.output.callback`.

All state lies in one block of memory, so that a C callback reaches it through a single pointer:

    bytes 0..255      64-bit counters (the `WORDS` below); the write and the read position each have a cache line
    bytes 256..575    32-bit floats: output peak, last sample taken of each source channel
    bytes 576..       the samples, (capacity, source channels) float32

One thread writes, one callback reads; neither ever waits for the other.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cmaudio.errors import CmaudioError

WRITTEN, READ = 0, 8
CAPACITY, CHANNELS, MUTED, SOURCES, FIRST_OUTPUT = 16, 17, 18, 19, 20
CALLBACKS, UNDERRUNS, UNDERRUN_SAMPLES, PLAYED, UNDERFLOWS = 24, 25, 26, 27, 28
LARGEST, GAIN, HOLDING = 29, 30, 31
WORDS = 32
PEAK, HELD, FIRST_SAMPLE = 64, 65, 144
MOST_SOURCES = FIRST_SAMPLE - HELD


@dataclass(frozen=True)
class RingCounters:
    """Counters of the callback since the ring was created.

    Attributes:
        callbacks: number of calls.
        underruns: calls that found too few samples.
        underrun_samples: samples missing in those calls.
        played_samples: samples taken from the ring.
        portaudio_underflows: calls with PortAudio's flag `paOutputUnderflow`.
        peak: largest absolute sample since the last `Ring.take_peak`.
    """

    callbacks: int = 0
    underruns: int = 0
    underrun_samples: int = 0
    played_samples: int = 0
    portaudio_underflows: int = 0
    peak: float = 0.0

    def plus(self, other: RingCounters) -> RingCounters:
        """The combined counters of two rings."""
        return RingCounters(
            self.callbacks + other.callbacks,
            self.underruns + other.underruns,
            self.underrun_samples + other.underrun_samples,
            self.played_samples + other.played_samples,
            self.portaudio_underflows + other.portaudio_underflows,
            max(self.peak, other.peak),
        )


class Ring:
    """A single-producer single-consumer ring of `capacity_samples` samples of a source, preallocated.

    A mono source is played on all output channels; a stereo source on a pair of them, or summed on a single one; a
    source with more channels on as many outputs.

    Args:
        capacity_samples: how many samples it holds.
        channels: output channels.
        source_channels: of the source, at most `MOST_SOURCES`.
        first_output: first output channel of a source with several, from 0; the others follow.

    Raises CmaudioError if the capacity or the number of output channels is not positive.
    """

    def __init__(
        self, capacity_samples: int, channels: int = 1, *, source_channels: int = 1, first_output: int = 0
    ) -> None:
        if capacity_samples < 1 or channels < 1:
            raise CmaudioError(f"a ring needs at least 1 sample and 1 channel, not {capacity_samples} and {channels}")
        self._block = np.zeros(FIRST_SAMPLE + capacity_samples * source_channels, np.float32)
        self._words = self._block[: 2 * WORDS].view(np.int64)
        self._samples = self._block[FIRST_SAMPLE:]
        if source_channels > 1:
            self._samples = self._samples.reshape(-1, source_channels)
        self._words[CAPACITY] = capacity_samples
        self._words[CHANNELS] = channels
        self._words[SOURCES], self._words[FIRST_OUTPUT] = source_channels, first_output
        self._order = threading.Lock()

    @property
    def pointer(self) -> int:
        """Address of the block, the callback's user data. It lives as long as this object."""
        return int(self._block.ctypes.data)

    @property
    def capacity_samples(self) -> int:
        return len(self._samples)

    @property
    def channels(self) -> int:
        """Output channels; set it only before a stream starts."""
        return int(self._words[CHANNELS])

    @channels.setter
    def channels(self, channels: int) -> None:
        self._words[CHANNELS] = channels

    @property
    def source_channels(self) -> int:
        return int(self._words[SOURCES])

    @property
    def first_output(self) -> int:
        """First output channel of a source with several; set it only before a stream starts."""
        return int(self._words[FIRST_OUTPUT])

    @first_output.setter
    def first_output(self, channel: int) -> None:
        self._words[FIRST_OUTPUT] = channel

    @property
    def readable(self) -> int:
        """Samples written and not yet played."""
        return int(self._words[WRITTEN] - self._words[READ])

    @property
    def writable(self) -> int:
        """Samples there is room for."""
        return self.capacity_samples - self.readable

    @property
    def largest_request_samples(self) -> int:
        """The largest number of samples that a callback has requested so far."""
        return int(self._words[LARGEST])

    def write(self, samples: npt.NDArray[np.float32]) -> int:
        """Append `samples` (N,), or (N, source channels), as many as fit; return how many did."""
        count = min(len(samples), self.writable)
        start = int(self._words[WRITTEN]) % self.capacity_samples
        until_end = min(count, self.capacity_samples - start)
        # Acquiring a lock twice orders the samples before the position on CPUs that reorder stores (ARM).
        with self._order:
            self._samples[start : start + until_end] = samples[:until_end]
            self._samples[: count - until_end] = samples[until_end:count]
        with self._order:
            self._words[WRITTEN] += count
        return count

    def mute(self) -> None:
        """Make the callback fade to silence within `FADE_SAMPLES` samples and stay silent, counting no underruns."""
        self._words[MUTED] = 1

    def counters(self) -> RingCounters:
        """A snapshot of the counters."""
        callbacks, underruns, underrun_samples, played, underflows = self._words[CALLBACKS : UNDERFLOWS + 1].tolist()
        return RingCounters(callbacks, underruns, underrun_samples, played, underflows, float(self._block[PEAK]))

    def take_peak(self) -> float:
        """The largest absolute output sample since the last call, for a meter."""
        peak = float(self._block[PEAK])
        self._block[PEAK] = 0.0
        return peak
