"""The compiled loop of the reverb: a feedback delay network of 32 lines (Jot and Chaigne 1991).

Input: high-pass, pre-delay, bandwidth, four allpass diffusers per side; the left side feeds the even lines, the right
side the odd ones. Each line has a shelf that gives all modes the same decay. The feedback matrix is a Hadamard matrix
times slow rotations of pairs of lines: it is orthogonal at all times, so the network is stable and its decay exact,
while its modes move, which prevents metallic ringing (Schlecht and Habets 2015, "Time-varying feedback matrices").

Everything changes at multiples of `QUANTUM` samples of the clock and is linear in between, so the output does not
depend on the block sizes. No line is shorter than a quantum, so each can be processed a quantum at a time.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from cmaudio.effects.clock_kernel import advance, sounds
from cmaudio.effects.unit_clock import (
    AWAKE,
    FADE_LEFT,
    FADE_SAMPLES,
    NOW,
    POSITION,
    QUANTUM,
    QUIET_FOR,
    STEP,
    TARGET,
)
from cmaudio.signal.jit import compiled, inlined

LINES, STAGES = 32, 4
# `levels` and `taps`: the lines come first
GAINS, HIGHS, CROSSOVER, BANDWIDTH, DIFFUSION, OUT, LEVELS = 0, 32, 64, 65, 66, 67, 68
DIFFUSER_TAPS, PREDELAY_TAP, TAPS = 32, 40, 41
_LOW_CUT, _LOW_CUT_INPUT, _BAND, FILTERS = 32, 34, 36, 38  # places in `filters`, after the shelves of the lines

_STEPS = np.arange(QUANTUM).astype(np.float32)
_SIGNS = np.random.default_rng(7).choice(np.array([-1, 1], np.float32), (3, LINES))
_LEFT, _FLIPS = _SIGNS[0], _SIGNS[2]
_RIGHT = _LEFT * np.tile(np.array([1, 1, -1, -1], np.float32), LINES // 4)  # orthogonal, for the lines of each side too
_SCALE = np.float32(1 / np.sqrt(LINES))


@compiled
def reverb(
    x: Any,
    out: Any,
    lines: Any,
    diffusers: Any,
    before: Any,
    filters: Any,
    taps: Any,
    levels: Any,
    rotations: Any,
    clock: Any,
    work: Any,
    low_cut: float,
    smoothing: float,
    memory: int,
) -> None:
    """Add the reverb of `x` (n, 2) to `out` (n, 2); both float32. The rest is the state, see `Reverb`."""
    total, done = x.shape[0], 0
    while done < total:
        offset = clock[POSITION] % QUANTUM
        count = min(QUANTUM - offset, total - done)
        part = x[done : done + count]
        if not clock[AWAKE] and sounds(part):
            _wake(taps, levels, rotations, clock)
        elif clock[AWAKE] and offset == 0:
            _begin_quantum(taps, levels, rotations, clock, smoothing)
        peak = 0.0
        if clock[AWAKE]:
            weight = np.float32((FADE_SAMPLES - clock[FADE_LEFT]) / FADE_SAMPLES)
            position = clock[POSITION]
            _condition(part, before, filters, taps, levels, work, position, offset, weight, np.float32(low_cut))
            _diffuse(diffusers, taps, levels, work, count, position, offset, weight)
            _read_lines(lines, filters, taps, levels, work, count, position, offset, weight)
            _add_output(out[done : done + count], levels, work, offset)
            _mix(rotations, work, count, offset)
            peak = _write_lines(lines, work, count, position)
        done += count
        if advance(clock, count, peak, memory):
            _clear(lines, diffusers, before, filters)


@inlined
def _clear(lines: Any, diffusers: Any, before: Any, filters: Any) -> None:
    for i in range(LINES):
        for j in range(lines.shape[1]):
            lines[i, j] = 0
    for side in range(2):
        for j in range(before.shape[1]):
            before[side, j] = 0
        for stage in range(STAGES):
            for j in range(diffusers.shape[2]):
                diffusers[side, stage, j] = 0
    for k in range(FILTERS):
        filters[k] = 0


@inlined
def _wake(taps: Any, levels: Any, rotations: Any, clock: Any) -> None:
    """Restart from silence, with the present target settings."""
    clock[AWAKE] = 1
    clock[QUIET_FOR] = 0
    clock[FADE_LEFT] = 0
    for k in range(TAPS):
        taps[0, k] = taps[1, k] = taps[2, k]
    for k in range(LEVELS):
        levels[NOW, k], levels[STEP, k] = levels[TARGET, k], np.float32(0)
    _turn(rotations, clock[POSITION] - clock[POSITION] % QUANTUM)


@inlined
def _begin_quantum(taps: Any, levels: Any, rotations: Any, clock: Any, smoothing: float) -> None:
    for k in range(LEVELS):
        now = levels[NOW, k] + levels[STEP, k] * np.float32(QUANTUM)
        difference = levels[TARGET, k] - now
        if abs(difference) < 1e-5 * abs(levels[TARGET, k]) + 1e-9:
            now, difference = levels[TARGET, k], np.float32(0)
        levels[NOW, k] = now
        levels[STEP, k] = difference * np.float32(smoothing / QUANTUM)
    if clock[FADE_LEFT] == 0:
        for k in range(TAPS):
            if taps[1, k] != taps[2, k]:
                clock[FADE_LEFT] = FADE_SAMPLES
            taps[0, k], taps[1, k] = taps[1, k], taps[2, k]
    _turn(rotations, clock[POSITION])


@inlined
def _turn(rotations: Any, position: int) -> None:
    """The rotations of a quantum: cosine and sine at its start, and their steps to those at its end."""
    for k in range(LINES // 2):
        rate, phase, depth = rotations[k, 0], rotations[k, 1], rotations[k, 2]
        angle = depth * math.sin(2 * math.pi * (phase + rate * position))
        later = depth * math.sin(2 * math.pi * (phase + rate * (position + QUANTUM)))
        rotations[k, 3], rotations[k, 4] = math.cos(angle), math.sin(angle)
        rotations[k, 5] = (math.cos(later) - rotations[k, 3]) / QUANTUM
        rotations[k, 6] = (math.sin(later) - rotations[k, 4]) / QUANTUM


@inlined
def _condition(
    x: Any,
    before: Any,
    filters: Any,
    taps: Any,
    levels: Any,
    work: Any,
    position: int,
    offset: int,
    weight: Any,
    low_cut: Any,
) -> None:
    """High-pass, pre-delay and bandwidth, into the last two rows of `work`."""
    mask = before.shape[1] - 1
    old, new = taps[0, PREDELAY_TAP], taps[1, PREDELAY_TAP]
    fade = np.float32(1 / FADE_SAMPLES) if weight < 1 else np.float32(0)
    for side in range(2):
        held, last, band = filters[_LOW_CUT + side], filters[_LOW_CUT_INPUT + side], filters[_BAND + side]
        row = before[side]
        for j in range(x.shape[0]):
            held = low_cut * (held + x[j, side] - last)
            last = x[j, side]
            at = position + j
            row[at & mask] = held
            value = row[(at - new) & mask]
            if weight < 1:
                value = value * (weight + fade * _STEPS[offset + j])
                value += row[(at - old) & mask] * (np.float32(1) - weight - fade * _STEPS[offset + j])
            band += (levels[NOW, BANDWIDTH] + levels[STEP, BANDWIDTH] * _STEPS[offset + j]) * (value - band)
            work[LINES + side, j] = band
        filters[_LOW_CUT + side], filters[_LOW_CUT_INPUT + side], filters[_BAND + side] = held, last, band


@inlined
def _diffuse(
    diffusers: Any, taps: Any, levels: Any, work: Any, count: int, position: int, offset: int, weight: Any
) -> None:
    """Four allpasses in series, for each side (Schroeder 1962)."""
    mask = diffusers.shape[2] - 1
    gain = levels[NOW, DIFFUSION]
    fade = np.float32(1 / FADE_SAMPLES)
    for side in range(2):
        for stage in range(STAGES):
            tap = DIFFUSER_TAPS + side * STAGES + stage
            old, new = taps[0, tap], taps[1, tap]
            row = diffusers[side, stage]
            for j in range(count):
                at = position + j
                delayed = row[(at - new) & mask]
                if weight < 1:
                    part = weight + fade * _STEPS[offset + j]
                    delayed = delayed * part + row[(at - old) & mask] * (np.float32(1) - part)
                value = work[LINES + side, j] - gain * delayed
                row[at & mask] = value
                work[LINES + side, j] = delayed + gain * value


@inlined
def _read_lines(
    lines: Any, filters: Any, taps: Any, levels: Any, work: Any, count: int, position: int, offset: int, weight: Any
) -> None:
    """The output of each line, through its shelf."""
    mask = lines.shape[1] - 1
    fade = np.float32(1 / FADE_SAMPLES)
    for i in range(LINES):
        row, old, new = lines[i], position - taps[0, i], position - taps[1, i]
        for j in range(count):
            work[i, j] = row[(new + j) & mask]
        if weight < 1:
            for j in range(count):
                part = weight + fade * _STEPS[offset + j]
                work[i, j] = work[i, j] * part + row[(old + j) & mask] * (np.float32(1) - part)
    for j in range(count):
        step = _STEPS[offset + j]
        follow = levels[NOW, CROSSOVER] + levels[STEP, CROSSOVER] * step
        for i in range(LINES):
            value = work[i, j]
            low = filters[i] + follow * (value - filters[i])
            filters[i] = low
            gain = levels[NOW, GAINS + i] + levels[STEP, GAINS + i] * step
            high = levels[NOW, HIGHS + i] + levels[STEP, HIGHS + i] * step
            work[i, j] = gain * (low + high * (value - low))


@inlined
def _add_output(out: Any, levels: Any, work: Any, offset: int) -> None:
    """Both sides get all lines, with signs that decorrelate them."""
    for j in range(out.shape[0]):
        left = right = np.float32(0)
        for i in range(LINES):
            left += _LEFT[i] * work[i, j]
            right += _RIGHT[i] * work[i, j]
        level = levels[NOW, OUT] + levels[STEP, OUT] * _STEPS[offset + j]
        out[j, 0] += level * left
        out[j, 1] += level * right


@inlined
def _mix(rotations: Any, work: Any, count: int, offset: int) -> None:
    """The rotations, then the fast Walsh-Hadamard transform."""
    for k in range(LINES // 2):
        first, second = work[2 * k], work[2 * k + 1]
        cosine, sine = np.float32(rotations[k, 3]), np.float32(rotations[k, 4])
        cosine_step, sine_step = np.float32(rotations[k, 5]), np.float32(rotations[k, 6])
        for j in range(count):
            c, s = cosine + cosine_step * _STEPS[offset + j], sine + sine_step * _STEPS[offset + j]
            first[j], second[j] = c * first[j] - s * second[j], s * first[j] + c * second[j]
    half = 1
    while half < LINES:
        for start in range(0, LINES, 2 * half):
            for i in range(start, start + half):
                first, second = work[i], work[i + half]
                for j in range(count):
                    first[j], second[j] = first[j] + second[j], first[j] - second[j]
        half *= 2


@inlined
def _write_lines(lines: Any, work: Any, count: int, position: int) -> float:
    """Write into the lines; returns the largest value."""
    mask, peak = lines.shape[1] - 1, np.float32(0)
    for i in range(LINES):
        row, scale = lines[i], _FLIPS[i] * _SCALE
        for j in range(count):
            value = work[i, j] * scale + work[LINES + i % 2, j]
            row[(position + j) & mask] = value
            peak = max(peak, abs(value))
    return float(peak)
