"""Samples of several output pairs, side by side: left and right of the first pair, then those of the next."""

from __future__ import annotations

from cmaudio.signal.dsp import Float


def sum_of_pairs(samples: Float) -> Float:
    """(N, 2 P) samples of P pairs -> their sum (N, 2). Mono or a single pair is returned unchanged."""
    if samples.ndim == 1 or samples.shape[1] <= 2:
        return samples
    return samples.reshape(len(samples), -1, 2).sum(1)
