"""Functions that the compiled loops of the effects share.

Numba's cache follows only the file of the loop itself: after a change here, touch the kernels that import it.
"""

from __future__ import annotations

from typing import Any

from cmaudio.effects.unit_clock import AWAKE, FADE_LEFT, POSITION, QUANTUM, QUIET, QUIET_FOR
from cmaudio.signal.jit import inlined


@inlined
def sounds(x: Any) -> bool:
    """Whether any sample of `x` (n, 2) is not zero."""
    found = False
    for j in range(x.shape[0]):
        found = found or x[j, 0] != 0 or x[j, 1] != 0
    return found


@inlined
def advance(clock: Any, count: int, peak: float, memory: int) -> bool:
    """Advance by `count` samples whose largest value is `peak`.

    Returns whether all was quiet for longer than `memory` samples: the effect is then to be cleared and to sleep.
    """
    if peak > QUIET:
        clock[QUIET_FOR] = 0
    clock[POSITION] += count
    asleep = False
    if clock[AWAKE] and clock[POSITION] % QUANTUM == 0:
        clock[FADE_LEFT] = max(0, clock[FADE_LEFT] - QUANTUM)
        clock[QUIET_FOR] += QUANTUM
        if clock[QUIET_FOR] > memory:
            clock[AWAKE] = 0
            asleep = True
    return asleep
