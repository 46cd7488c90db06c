"""The compiled loops of `cmaudio.synthesis.deviation`, which run for every voice in every block.

In NumPy they would take about a hundred calls on a few numbers each: an eighth of the total time at 16 voices.

Shapes: T hops or frames, L layers, P components of partials, F STFT bins, N samples.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import VOICED_ABOVE_HZ, Complex
from cmaudio.signal.jit import compiled
from cmaudio.synthesis.filter_kernel import cos_sin

OWN, SHARED = 16, 32  # lowest partials with their own components; higher ones share those in turn
COMPONENTS = OWN + SHARED
_HIGHEST_HZ = 2000.0  # partials above are modulated no faster than one here: within a window they would blur
_FEW_CENTS, _MANY_CENTS, _MOST_SWING = 8.0, 16.0, 0.8  # spread from which layers have vibratos of their own
_LEVEL_KEPT = 0.75  # share of a frame's power that is kept constant
_CENT = math.log(2) / 1200
_TURN = 2 * math.pi

Array = NDArray[np.float64]


@compiled
def course(
    of: Array,
    humanity: Array,
    own: tuple[float, float],
    state: tuple[float, float],
    wander: Array,
    first: int,
    step: float,
) -> tuple[Array, float]:
    """(T, 6) the state at each hop, as in `NoteDeviation`; and the vibrato's phase in cycles after them.

    Args:
        of: (12, T) the values of `Deviation`, in its order; (12, 1) if constant.
        humanity: (T,).
        own: factors of the vibrato's rate and depth.
        state: phase of the vibrato in cycles and the drift, at the hop before the first.
        wander: (2, W) rates of the sines that make up the wander, and their phases in cycles, which are advanced.
        first: the number of the first hop.
        step: seconds from hop to hop.
    """
    out = np.empty((len(humanity), 6))
    (rate, depth), (cycles, drift) = own, state
    for t in range(len(humanity)):
        at = min(t, of.shape[1] - 1)
        vibrato, hz, from_s, full_s, scoop, scoop_s, spread, moving = of[:8, at]
        seconds = (first + t) * step
        cycles += hz * rate * step
        swing = min(1.0, max(0.0, (spread - _FEW_CENTS) / (_MANY_CENTS - _FEW_CENTS))) * _MOST_SWING  # of the variance
        width = spread * humanity[t]
        drift += width * math.sqrt(1 - swing) * step
        grown = min(1.0, max(0.0, (seconds - from_s) / max(full_s - from_s, step)))
        swung = vibrato * depth * grown * math.sin(_TURN * cycles)
        wandered = 0.0
        for i in range(wander.shape[1]):
            wander[1, i] = (wander[1, i] + wander[0, i] * of[11, at] * step) % 1
            wandered += of[10, at] * math.sqrt(2 / wander.shape[1]) * math.sin(_TURN * wander[1, i])
        out[t, 0] = humanity[t] * (swung + scoop * math.exp(-seconds / scoop_s) + wandered)
        out[t, 1] = drift
        out[t, 2] = moving * min(humanity[t], 1.0)
        out[t, 3] = width * math.sqrt(swing)
        out[t, 4] = of[8, at]
        out[t, 5] = of[9, at]
    return out, cycles % 1


@compiled
def ratios(cents: Array, first: int, hop_length: int, count: int) -> Array:
    """(N,) ratio of f0 to that without deviation, linear between hops.

    Args:
        cents: at each hop.
        first: the first sample, counted from the first hop; constant before that.
        hop_length: samples.
        count: N; the last hop must lie behind the last sample.
    """
    at_hops = np.exp(_CENT * cents)
    out = np.full(count, at_hops[0])
    for hop in range(len(cents)):
        start, rise = hop * hop_length - first, at_hops[min(hop + 1, len(cents) - 1)] - at_hops[hop]
        for i in range(max(0, start), min(count, start + hop_length)):
            out[i] = at_hops[hop] + rise * ((i - start) / hop_length)
    return out


@compiled
def components(known: Array, seconds: Array, offsets: Array, swings: Array, starts: Array, hz: float) -> Complex:
    """(T, P) factors of the partials: sums of layers that drift apart and have vibratos of their own.

    Implements `cmaudio.signal.layers.layered` for each.

    Args:
        known: (T, 6) output of `course`: of it the drift in cents times seconds, the layers' share of the power, the
            depth of each layer's vibrato in cents, the lowest partial's part of the share, and turning.
        seconds: (T,) since the onset.
        offsets: (L,) of the layers, in units of the drift.
        swings: (2, L) rates of the layers' vibratos in Hz, and their start phases.
        starts: (L, P) phases in cycles.
        hz: spacing of the partials.
    """
    out = np.empty((len(known), COMPONENTS), np.complex64)
    layers = len(offsets)
    for t in range(len(known)):
        _, drift, share, width, first, turning = known[t]
        power = (1 + (layers - 1) * turning * turning) * (1 + turning * turning) / 2
        real, imaginary = np.zeros(COMPONENTS, np.float32), np.zeros(COMPONENTS, np.float32)
        for layer in range(layers):
            radians_per_s = _TURN * swings[0, layer]
            swung = math.sin(radians_per_s * seconds[t] + _TURN * swings[1, layer])
            ahead = _CENT * (offsets[layer] * drift + width * math.sqrt(2.0) * swung / radians_per_s)
            weight = np.float32(1.0 if layer == 0 else turning)
            for partial in range(COMPONENTS):
                turns = starts[layer, partial] + ahead * min(hz * partial, _HIGHEST_HZ)
                cosine, sine = cos_sin(np.float32(_TURN * (turns - np.floor(turns))))
                real[partial] += weight * cosine
                imaginary[partial] += weight * sine
        for partial in range(COMPONENTS):
            moves = share if partial > 1 else share * first
            each = math.sqrt(moves / power)
            out[t, partial] = complex(math.sqrt(1 - moves) + each * real[partial], turning * each * imaginary[partial])
    return out


@compiled
def waver(filters: Complex, pulses: Complex, gains: Complex, base_hz: NDArray[np.float32], bin_hz: float) -> None:
    """Multiply the filters (T, F) of pulses (T, F) by the factors (T, P) of their partials, in place.

    The level of a frame hardly changes. Beating averages out in the level of a note with many partials; one with few
    would vary in loudness from note to note, which sounds like a mistake.

    Args:
        filters: (T, F), changed.
        pulses: (T, F) what they filter.
        gains: (T, P), see `components`.
        base_hz: (T,) spacing of the partials; frames without any are unchanged.
        bin_hz: from one bin to the next.
    """
    for t in range(len(filters)):
        if base_hz[t] <= VOICED_ABOVE_HZ:
            continue
        partials_per_bin = bin_hz / np.float64(base_hz[t])
        before = after = 1e-20
        for f in range(filters.shape[1]):
            partial = int(f * partials_per_bin + 0.5)  # the nearest one
            if partial >= OWN:
                partial = OWN + (partial - OWN) % SHARED
            gain, old = gains[t, partial], filters[t, f]
            output = old * pulses[t, f]
            power = output.real * output.real + output.imag * output.imag
            before += power
            after += power * (gain.real * gain.real + gain.imag * gain.imag)
            filters[t, f] = old * gain
        level = np.float32(min(4.0, max(0.25, (before / after) ** (0.5 * _LEVEL_KEPT))))
        for f in range(filters.shape[1]):
            filters[t, f] *= level


def load_kernels(layers: int) -> None:
    """Compile or load the functions that a note calls, before the first note. All arrays passed are contiguous."""
    known, offsets, filters = np.zeros((2, 6)), np.zeros(layers), np.zeros((2, 4), np.complex64)
    course(np.ones((12, 1)), np.ones(2), (1.0, 1.0), (0.0, 0.0), np.ones((2, 1)), 0, 0.01)
    ratios(known[0], 0, 2, 2)
    swings, starts = np.ones((2, layers)), np.zeros((layers, COMPONENTS))
    gains = components(known, np.zeros(2), offsets, swings, starts, 1.0)
    waver(filters, filters, gains, np.zeros(2, np.float32), 1.0)
