"""Pauses of speech, by level. Shapes: N samples, W windows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.dsp import Float

WINDOW_SECONDS = 0.005
_SHORTEST_SECONDS = 0.03  # shorter is the closure of a stop consonant


def window_levels(audio: Float, sample_rate: int) -> NDArray[np.float64]:
    """(N,) samples -> (W,) level of each 5 ms in dB of full scale."""
    length = max(1, round(WINDOW_SECONDS * sample_rate))
    padded = np.pad(audio.astype(np.float64), (0, -len(audio) % length)).reshape(-1, length)
    return np.asarray(10 * np.log10(np.square(padded).mean(1) + 1e-12), np.float64)


def silence_between(
    levels: NDArray[np.float64], quiet_db: float, begin: float, end: float
) -> tuple[float, float] | None:
    """The longest stretch below a level.

    Args:
        levels: (W,) of `window_levels`.
        quiet_db: levels below it are silent.
        begin: start of the search in seconds.
        end: end of the search in seconds.
    Returns:
        its start and end in seconds; None if nothing is silent for 30 ms.
    """
    first, last = max(0, int(begin / WINDOW_SECONDS)), min(len(levels), int(np.ceil(end / WINDOW_SECONDS)))
    quiet = levels[first:last] < quiet_db
    edges = np.flatnonzero(np.diff(np.concatenate([[0], quiet.astype(np.int8), [0]])))
    if not len(edges):
        return None
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    if (ends[longest] - starts[longest]) * WINDOW_SECONDS < _SHORTEST_SECONDS:
        return None
    return float(first + starts[longest]) * WINDOW_SECONDS, float(first + ends[longest]) * WINDOW_SECONDS
