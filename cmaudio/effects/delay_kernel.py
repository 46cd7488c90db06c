"""The compiled loop of the delay.

Everything changes at multiples of `QUANTUM` samples of the clock and is linear in between, so the output does not
depend on the block sizes. A new delay time is crossfaded, without a pitch slide.
"""

from __future__ import annotations

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

FEEDBACK, CROSS, FOLLOW, LEVELS = 0, 1, 2, 3


@compiled
def delay(x: Any, out: Any, lines: Any, taps: Any, levels: Any, state: Any, clock: Any, smoothing: float) -> None:
    """Add the echoes of `x` (n, 2) to `out` (n, 2); both float32. The rest is the state, see `Delay`."""
    total, done = x.shape[0], 0
    while done < total:
        offset = clock[POSITION] % QUANTUM
        count = min(QUANTUM - offset, total - done)
        part = x[done : done + count]
        if not clock[AWAKE] and sounds(part):
            _wake(taps, levels, clock)
        elif clock[AWAKE] and offset == 0:
            _begin_quantum(taps, levels, clock, np.float32(smoothing))
        peak = 0.0
        if clock[AWAKE]:
            weight = np.float32((FADE_SAMPLES - clock[FADE_LEFT]) / FADE_SAMPLES)
            peak = _echo(part, out[done : done + count], lines, taps, levels, state, clock[POSITION], offset, weight)
        done += count
        if advance(clock, count, peak, max(taps[0], taps[1]) + QUANTUM):
            for side in range(2):
                state[side] = 0
                for j in range(lines.shape[1]):
                    lines[side, j] = 0


@inlined
def _wake(taps: Any, levels: Any, clock: Any) -> None:
    """Restart from silence, with the present target settings."""
    clock[AWAKE], clock[QUIET_FOR], clock[FADE_LEFT] = 1, 0, 0
    taps[0] = taps[1] = taps[2]
    for k in range(LEVELS):
        levels[NOW, k], levels[STEP, k] = levels[TARGET, k], np.float32(0)


@inlined
def _begin_quantum(taps: Any, levels: Any, clock: Any, smoothing: Any) -> None:
    for k in range(LEVELS):
        now = levels[NOW, k] + levels[STEP, k] * np.float32(QUANTUM)
        difference = levels[TARGET, k] - now
        if abs(difference) < 1e-5:
            now, difference = levels[TARGET, k], np.float32(0)
        levels[NOW, k] = now
        levels[STEP, k] = difference * smoothing * np.float32(1 / QUANTUM)
    if clock[FADE_LEFT] == 0 and taps[1] != taps[2]:
        clock[FADE_LEFT] = FADE_SAMPLES
        taps[0], taps[1] = taps[1], taps[2]


@inlined
def _echo(
    x: Any, out: Any, lines: Any, taps: Any, levels: Any, state: Any, position: int, offset: int, weight: Any
) -> float:
    """One part of a quantum; returns the largest value that was written."""
    mask, peak, one = lines.shape[1] - 1, np.float32(0), np.float32(1)
    fade = np.float32(1 / FADE_SAMPLES) if weight < 1 else np.float32(0)
    low_left, low_right = state[0], state[1]
    for j in range(x.shape[0]):
        step = np.float32(offset + j)
        new, old, at = (position + j - taps[1]) & mask, (position + j - taps[0]) & mask, (position + j) & mask
        part = weight + fade * step
        left = part * lines[0, new] + (one - part) * lines[0, old]
        right = part * lines[1, new] + (one - part) * lines[1, old]
        out[j, 0] += left
        out[j, 1] += right
        follow = levels[NOW, FOLLOW] + levels[STEP, FOLLOW] * step
        low_left += follow * (left - low_left)
        low_right += follow * (right - low_right)
        feedback = levels[NOW, FEEDBACK] + levels[STEP, FEEDBACK] * step
        cross = levels[NOW, CROSS] + levels[STEP, CROSS] * step
        middle = np.float32(0.5) * (x[j, 0] + x[j, 1])
        to_left = x[j, 0] + cross * (middle - x[j, 0]) + feedback * (low_left + cross * (low_right - low_left))
        to_right = (one - cross) * x[j, 1] + feedback * (low_right + cross * (low_left - low_right))
        lines[0, at], lines[1, at] = to_left, to_right
        peak = max(peak, abs(to_left), abs(to_right))
    state[0], state[1] = low_left, low_right
    return float(peak)
