"""A ring of mono samples between the synthesis thread and the sound card, and the compiled callback that empties it.

All state lies in one block of memory, so that a C callback reaches it through a single pointer:

    bytes 0..255      64-bit counters (the `_WORDS` below); the write and the read position each have a cache line
    bytes 256..319    32-bit floats: output peak, last sample taken
    bytes 320..       the samples, (capacity,) float32

One thread writes, one callback reads; neither ever waits for the other. numba is imported when a callback is first
asked for, not when this module is imported.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cmaudio.errors import CmaudioError

FADE_SAMPLES = 64
OUTPUT_UNDERFLOW = 0x4  # paOutputUnderflow

_WRITTEN, _READ = 0, 8
_CAPACITY, _CHANNELS, _MUTED = 16, 17, 18
_CALLBACKS, _UNDERRUNS, _UNDERRUN_SAMPLES, _PLAYED, _UNDERFLOWS = 24, 25, 26, 27, 28
_LARGEST, _GAIN, _HOLDING = 29, 30, 31
_WORDS = 32
_PEAK, _HELD, _FIRST_SAMPLE = 64, 65, 80

# Set by `_names_for_numba`: numba looks up global names when it compiles, and cannot cache closures.
_carray: Any = None
_fence: Any = None
_take: Any = None
_count: Any = None


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
    """A single-producer single-consumer ring of `capacity_samples` mono samples, preallocated.

    Raises CmaudioError if the capacity or the number of output channels is not positive.
    """

    def __init__(self, capacity_samples: int, channels: int = 1) -> None:
        if capacity_samples < 1 or channels < 1:
            raise CmaudioError(f"a ring needs at least 1 sample and 1 channel, not {capacity_samples} and {channels}")
        self._block = np.zeros(_FIRST_SAMPLE + capacity_samples, np.float32)
        self._words = self._block[: 2 * _WORDS].view(np.int64)
        self._samples = self._block[_FIRST_SAMPLE:]
        self._words[_CAPACITY] = capacity_samples
        self._words[_CHANNELS] = channels
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
        return int(self._words[_CHANNELS])

    @channels.setter
    def channels(self, channels: int) -> None:
        self._words[_CHANNELS] = channels

    @property
    def readable(self) -> int:
        """Samples written and not yet played."""
        return int(self._words[_WRITTEN] - self._words[_READ])

    @property
    def writable(self) -> int:
        """Samples there is room for."""
        return self.capacity_samples - self.readable

    @property
    def largest_request_samples(self) -> int:
        """The largest number of samples that a callback has requested so far."""
        return int(self._words[_LARGEST])

    def write(self, samples: npt.NDArray[np.float32]) -> int:
        """Append `samples` (N,), as many as fit; return how many did."""
        count = min(len(samples), self.writable)
        start = int(self._words[_WRITTEN]) % self.capacity_samples
        until_end = min(count, self.capacity_samples - start)
        # Acquiring a lock twice orders the samples before the position on CPUs that reorder stores (ARM).
        with self._order:
            self._samples[start : start + until_end] = samples[:until_end]
            self._samples[: count - until_end] = samples[until_end:count]
        with self._order:
            self._words[_WRITTEN] += count
        return count

    def mute(self) -> None:
        """Make the callback fade to silence within `FADE_SAMPLES` samples and stay silent, counting no underruns."""
        self._words[_MUTED] = 1

    def counters(self) -> RingCounters:
        """A snapshot of the counters."""
        callbacks, underruns, underrun_samples, played, underflows = self._words[_CALLBACKS : _UNDERFLOWS + 1].tolist()
        return RingCounters(callbacks, underruns, underrun_samples, played, underflows, float(self._block[_PEAK]))

    def take_peak(self) -> float:
        """The largest absolute output sample since the last call, for a meter."""
        peak = float(self._block[_PEAK])
        self._block[_PEAK] = 0.0
        return peak


@dataclass(frozen=True)
class Callback:
    """A compiled PortAudio callback; its user data is `Ring.pointer`."""

    address: int
    call: Callable[..., int]

    def drive(self, ring: Ring, frames: int, flags: int = 0) -> npt.NDArray[np.float32]:
        """Call it once, as PortAudio would, without a device; returns the output (frames, channels)."""
        output = np.full((frames, ring.channels), np.nan, np.float32)
        assert self.call(None, output.ctypes.data, frames, None, flags, ring.pointer) == 0
        return output


def _take_samples(words: Any, floats: Any, output: Any, ready: int, wanted: int) -> int:
    """Fill `output` (wanted * channels,) with `ready` samples, fading if they run short; returns how many it took."""
    capacity, channels = words[_CAPACITY], words[_CHANNELS]
    position = words[_READ] % capacity
    gain, holding, held, peak = words[_GAIN], words[_HOLDING] != 0, floats[_HELD], floats[_PEAK]
    left = ready
    for i in range(wanted):
        if left == 0:
            holding = True
        elif gain == 0:
            holding = False
        if holding:
            gain -= gain > 0
        else:
            held = floats[_FIRST_SAMPLE + position]
            position = position + 1 if position + 1 < capacity else 0
            left -= 1
            if ready < wanted and left < gain:
                gain -= 1
            elif gain < FADE_SAMPLES:
                gain += 1
        value = np.float32(held * (gain / FADE_SAMPLES)) if gain > 0 else np.float32(0)
        peak = max(peak, abs(value))
        for channel in range(channels):
            output[i * channels + channel] = value
    words[_GAIN], words[_HOLDING], floats[_HELD], floats[_PEAK] = gain, holding, held, peak
    return ready - left


def _count_call(words: Any, wanted: int, flags: int) -> None:
    words[_CALLBACKS] += 1
    words[_UNDERFLOWS] += (flags & OUTPUT_UNDERFLOW) != 0
    words[_LARGEST] = max(words[_LARGEST], wanted)


def _output(_input: Any, output: Any, frames: Any, _time: Any, flags: Any, ring: Any) -> Any:
    words = _carray(ring, _WORDS, np.int64)
    wanted = np.int64(frames)
    floats = _carray(ring, _FIRST_SAMPLE + words[_CAPACITY], np.float32)
    _count(words, wanted, np.int64(flags))
    ready = words[_WRITTEN] - words[_READ]
    _fence()  # the samples must not be read before the position that announces them
    muted = words[_MUTED] != 0
    if muted:
        ready = min(ready, words[_GAIN])
    taken = _take(words, floats, _carray(output, wanted * words[_CHANNELS], np.float32), ready, wanted)
    if taken < wanted and not muted:
        words[_UNDERRUNS] += 1
        words[_UNDERRUN_SAMPLES] += wanted - taken
    words[_PLAYED] += taken
    _fence()  # nor may the producer see the free space before they are read
    words[_READ] += taken
    return np.int32(0)


def _silence(_input: Any, output: Any, frames: Any, _time: Any, flags: Any, ring: Any) -> Any:
    words = _carray(ring, _WORDS, np.int64)
    _count(words, np.int64(frames), np.int64(flags))
    _carray(output, np.int64(frames) * words[_CHANNELS], np.float32)[:] = 0
    return np.int32(0)


@functools.cache
def _names_for_numba() -> Any:
    """Import numba and bind the names that the functions above use; return the PaStreamCallback signature."""
    global _carray, _fence, _take, _count
    numba = importlib.import_module("numba")
    intrinsic = importlib.import_module("numba.extending").intrinsic

    def fence(_typing: Any) -> Any:
        def emit(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            builder.fence("seq_cst")
            return context.get_dummy_value()

        return numba.types.void(), emit

    _carray, _fence = numba.carray, intrinsic(fence)
    _take, _count = numba.njit(_take_samples), numba.njit(_count_call)
    unsigned_long = numba.uint64 if ctypes.sizeof(ctypes.c_ulong) == 8 else numba.uint32
    pointer = numba.types.voidptr
    return numba.int32(pointer, pointer, unsigned_long, pointer, unsigned_long, pointer)


def _compile(function: Callable[..., Any]) -> Callback:
    signature, numba = _names_for_numba(), importlib.import_module("numba")
    try:
        compiled = numba.cfunc(signature, cache=True)(function)
    except RuntimeError:  # numba found no writable directory for its cache
        compiled = numba.cfunc(signature)(function)
    return Callback(compiled.address, compiled.ctypes)


@functools.cache
def output_callback() -> Callback:
    """The callback that plays a ring: copies mono to all channels, fades on underruns, counts."""
    return _compile(_output)


@functools.cache
def silence_callback() -> Callback:
    """A callback that only writes silence and counts calls and underflows: the benchmark's baseline."""
    return _compile(_silence)
