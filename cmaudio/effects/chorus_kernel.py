"""The compiled loop of the chorus: delays with cubic interpolation, whose lengths follow sines.

The lengths are linear over a quantum, and a function of the clock only, so the output does not depend on the block
sizes.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cmaudio.effects.clock_kernel import advance
from cmaudio.effects.unit_clock import AWAKE, POSITION, QUANTUM, QUIET_FOR
from cmaudio.signal.jit import compiled, inlined

VOICES = 4
CENTRE, DEPTH, RATE, PHASE, LENGTH, STEP = 0, 1, 2, 3, 4, 5  # of `swings`, in samples and cycles per sample


@compiled
def chorus(x: Any, out: Any, lines: Any, swings: Any, clock: Any, memory: int) -> None:
    """Add the chorus of `x` (n, 2) to `out` (n, 2); both float32. The rest is the state, see `Chorus`."""
    total, done = x.shape[0], 0
    while done < total:
        offset = clock[POSITION] % QUANTUM
        count = min(QUANTUM - offset, total - done)
        peak = _write(x[done : done + count], lines, clock[POSITION])
        if peak > 0 and not clock[AWAKE]:
            clock[AWAKE], clock[QUIET_FOR] = 1, 0
            _swing(swings, clock[POSITION] - offset)
        elif clock[AWAKE] and offset == 0:
            _swing(swings, clock[POSITION])
        if clock[AWAKE]:
            _read(out[done : done + count], lines, swings, clock[POSITION], offset)
        done += count
        if advance(clock, count, peak, memory + QUANTUM):
            for side in range(2):
                for j in range(lines.shape[1]):
                    lines[side, j] = 0


@inlined
def _write(x: Any, lines: Any, position: int) -> float:
    """Write into the lines; returns the largest value."""
    mask, peak = lines.shape[1] - 1, np.float32(0)
    for j in range(x.shape[0]):
        for side in range(2):
            lines[side, (position + j) & mask] = x[j, side]
            peak = max(peak, abs(x[j, side]))
    return float(peak)


@inlined
def _swing(swings: Any, position: int) -> None:
    """The lengths at the start of a quantum, and their steps per sample."""
    for k in range(VOICES):
        phase = swings[k, PHASE] + swings[k, RATE] * position
        later = phase + swings[k, RATE] * QUANTUM
        swings[k, LENGTH] = swings[k, CENTRE] + swings[k, DEPTH] * math.sin(2 * math.pi * phase)
        end = swings[k, CENTRE] + swings[k, DEPTH] * math.sin(2 * math.pi * later)
        swings[k, STEP] = (end - swings[k, LENGTH]) / QUANTUM


@inlined
def _read(out: Any, lines: Any, swings: Any, position: int, offset: int) -> None:
    """Add the four voices, with Hermite interpolation."""
    mask, level = lines.shape[1] - 1, np.float32(math.sqrt(0.5))
    for k in range(VOICES):
        side = k // 2
        row, length, step = lines[side], swings[k, LENGTH], swings[k, STEP]
        for j in range(out.shape[0]):
            delay = length + step * (offset + j)
            whole = int(delay)
            part = np.float32(delay - whole)
            at = position + j - whole
            a, b, c, d = row[(at + 1) & mask], row[at & mask], row[(at - 1) & mask], row[(at - 2) & mask]
            slope, end_slope = np.float32(0.5) * (c - a), np.float32(0.5) * (d - b)
            difference = b - c
            cubic = slope + end_slope + difference + difference
            out[j, side] += level * (b + part * (slope + part * (part * cubic - (cubic + slope + difference))))
