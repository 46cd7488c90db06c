"""The compiled callbacks that empty a ring (`cmaudio.output.ring`) on a sound card's thread: they never wait.

numba is imported when a callback is first requested, not when this module is imported.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from cmaudio.output.ring import (
    CALLBACKS,
    CAPACITY,
    CHANNELS,
    FIRST_OUTPUT,
    FIRST_SAMPLE,
    GAIN,
    HELD,
    HOLDING,
    LARGEST,
    MUTED,
    PEAK,
    PLAYED,
    READ,
    SOURCES,
    UNDERFLOWS,
    UNDERRUN_SAMPLES,
    UNDERRUNS,
    WORDS,
    WRITTEN,
    Ring,
)  # fmt: skip

FADE_SAMPLES = 64
OUTPUT_UNDERFLOW = 0x4  # paOutputUnderflow

# Set by `_names_for_numba`: numba looks up global names when it compiles, and cannot cache closures.
_carray: Any = None
_fence: Any = None
_take: Any = None
_count: Any = None
_place: Any = None


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
    """Fill `output` (wanted * channels,) with `ready` samples, fading if they run short; returns the number taken."""
    capacity, channels, sources = words[CAPACITY], words[CHANNELS], words[SOURCES]
    position = words[READ] % capacity
    gain, holding = words[GAIN], words[HOLDING] != 0
    unread = ready
    for i in range(wanted):
        if unread == 0:
            holding = True
        elif gain == 0:
            holding = False
        if holding:
            gain -= gain > 0
        else:
            for source in range(sources):
                floats[HELD + source] = floats[FIRST_SAMPLE + position * sources + source]
            position = position + 1 if position + 1 < capacity else 0
            unread -= 1
            if ready < wanted and unread < gain:
                gain -= 1
            elif gain < FADE_SAMPLES:
                gain += 1
        if gain > 0:
            _place(words, floats, output, i * channels, gain / FADE_SAMPLES)
        else:
            output[i * channels : (i + 1) * channels] = 0
    words[GAIN], words[HOLDING] = gain, holding
    return ready - unread


def _place_sample(words: Any, floats: Any, output: Any, at: int, gain: float) -> None:
    """Write one sample of every source channel to the output channels, and update the peak."""
    channels, sources, first = words[CHANNELS], words[SOURCES], words[FIRST_OUTPUT]
    for source in range(sources):
        floats[PEAK] = max(floats[PEAK], abs(np.float32(floats[HELD + source] * gain)))
    if sources == 2 and channels == 1:
        output[at] = np.float32(0.5) * (np.float32(floats[HELD] * gain) + np.float32(floats[HELD + 1] * gain))
        return
    for channel in range(channels):
        source = 0 if sources == 1 else channel - first
        if 0 <= source < sources:
            output[at + channel] = np.float32(floats[HELD + source] * gain)
        else:
            output[at + channel] = np.float32(0)


def _count_call(words: Any, wanted: int, flags: int) -> None:
    words[CALLBACKS] += 1
    words[UNDERFLOWS] += (flags & OUTPUT_UNDERFLOW) != 0
    words[LARGEST] = max(words[LARGEST], wanted)


def _output(_input: Any, output: Any, frames: Any, _time: Any, flags: Any, ring: Any) -> Any:
    words = _carray(ring, WORDS, np.int64)
    wanted = np.int64(frames)
    floats = _carray(ring, FIRST_SAMPLE + words[CAPACITY] * words[SOURCES], np.float32)
    _count(words, wanted, np.int64(flags))
    ready = words[WRITTEN] - words[READ]
    _fence()  # the samples must not be read before the position that announces them
    muted = words[MUTED] != 0
    if muted:
        ready = min(ready, words[GAIN])
    taken = _take(words, floats, _carray(output, wanted * words[CHANNELS], np.float32), ready, wanted)
    if taken < wanted and not muted:
        words[UNDERRUNS] += 1
        words[UNDERRUN_SAMPLES] += wanted - taken
    words[PLAYED] += taken
    _fence()  # nor may the producer see the free space before they are read
    words[READ] += taken
    return np.int32(0)


def _silence(_input: Any, output: Any, frames: Any, _time: Any, flags: Any, ring: Any) -> Any:
    words = _carray(ring, WORDS, np.int64)
    _count(words, np.int64(frames), np.int64(flags))
    _carray(output, np.int64(frames) * words[CHANNELS], np.float32)[:] = 0
    return np.int32(0)


@functools.cache
def _names_for_numba() -> Any:
    """Import numba and bind the names that the functions above use; return the PaStreamCallback signature."""
    global _carray, _fence, _take, _count, _place
    numba = importlib.import_module("numba")
    intrinsic = importlib.import_module("numba.extending").intrinsic

    def fence(_typing: Any) -> Any:
        def emit(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
            builder.fence("seq_cst")
            return context.get_dummy_value()

        return numba.types.void(), emit

    _carray, _fence = numba.carray, intrinsic(fence)
    _place = numba.njit(_place_sample)
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
    """The callback that plays a ring: routes the source channels, fades on underruns, counts."""
    return _compile(_output)


@functools.cache
def silence_callback() -> Callback:
    """A callback that only writes silence and counts calls and underflows: the benchmark's baseline."""
    return _compile(_silence)
