"""A second-order filter as a compiled loop. Importing this imports numba."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.jit import compiled


@compiled
def filtered(x: NDArray[np.float64], section: NDArray[np.float64], state: NDArray[np.float64]) -> NDArray[np.float64]:
    """(N, C) samples through b0 b1 b2 1 a1 a2; `state` (2, C) is changed in place (transposed direct form II)."""
    y = np.empty_like(x)
    for channel in range(x.shape[1]):
        first, second = state[0, channel], state[1, channel]
        for n in range(x.shape[0]):
            value = x[n, channel]
            out = section[0] * value + first
            first = section[1] * value - section[4] * out + second
            second = section[2] * value - section[5] * out
            y[n, channel] = out
        state[0, channel], state[1, channel] = first, second
    return y
