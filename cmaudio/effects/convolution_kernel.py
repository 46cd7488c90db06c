"""The compiled loops of the convolution. Real and imaginary parts are separate, so that products are vectorised."""

from __future__ import annotations

from typing import Any

import numpy as np

from cmaudio.signal.jit import compiled


@compiled
def take(x: Any, out: Any, history: Any, heads: Any, routes: Any, tail: Any, work: Any, offset: int) -> float:
    """Process `x` (n, 2), which lies within one block, and add the available part of its response to `out` (n, 2).

    Args:
        history: (2, 2B) the previous block, and this one as far as it has arrived.
        heads: (R, B) the first block of each response; B is a multiple of 4.
        routes: (R, 2) the input and the output of each response.
        tail: (2, B) the response of earlier blocks, at this block.
        work: (B,) scratch.
        offset: of `x` within the block.

    Returns:
        The largest absolute value of `x`.
    """
    count, block, peak = x.shape[0], tail.shape[1], np.float32(0)
    for side in range(2):
        for j in range(count):
            history[side, block + offset + j] = x[j, side]
            peak = max(peak, abs(x[j, side]))
            out[j, side] += tail[side, offset + j]
    for r in range(routes.shape[0]):
        row, head = history[routes[r, 0]], heads[r]
        for j in range(count):
            work[j] = 0
        for i in range(0, block, 4):
            a, b, c, d = head[i], head[i + 1], head[i + 2], head[i + 3]
            start = block + offset - i - 3
            past = row[start : start + count + 3]
            for j in range(count):
                work[j] += a * past[j + 3] + b * past[j + 2] + c * past[j + 1] + d * past[j]
        for j in range(count):
            out[j, routes[r, 1]] += work[j]
    return float(peak)


@compiled
def multiply(total: Any, responses: Any, inputs: Any, routes: Any, newest: int, first: int, last: int) -> None:
    """Add to `total` (2, 2, F) the products of partitions `first` to `last` with the input of as many blocks ago.

    Args:
        responses: (R, P, 2, F) spectra of the partitions after the head.
        inputs: (2, P, 2, F) spectra of the last P blocks, a ring.
        routes: (R, 2) the input and the output of each response.
        newest: position in the ring of the block for partition 0.
    """
    bins, partitions = total.shape[2], inputs.shape[1]
    for p in range(first, last):
        at = (newest - p) % partitions
        for r in range(routes.shape[0]):
            real, imag = responses[r, p, 0], responses[r, p, 1]
            x_real, x_imag = inputs[routes[r, 0], at, 0], inputs[routes[r, 0], at, 1]
            y_real, y_imag = total[routes[r, 1], 0], total[routes[r, 1], 1]
            for f in range(bins):
                y_real[f] += real[f] * x_real[f] - imag[f] * x_imag[f]
                y_imag[f] += real[f] * x_imag[f] + imag[f] * x_real[f]
