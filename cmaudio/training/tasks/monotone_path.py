"""The most probable monotone alignment, by dynamic programming; Kim et al., "Glow-TTS" (2020, arXiv 2005.11129),
algorithm 1.

`torchaudio.functional.forced_align` with an impossible blank finds the same path. It took 120 times as long: 36 ms
against 0.3 ms an utterance (300 random ones of up to 1000 frames and 120 phonemes, all with equal boundaries).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cmaudio.signal.jit import compiled


@compiled
def monotone_ends(log_probability: NDArray[np.float32]) -> NDArray[np.int64]:
    """(T, P) log-probability of phoneme p at frame t -> (P,) the frame after the last of each; each has at least one.

    T must be at least P.
    """
    frames, phonemes = log_probability.shape
    best = np.full((frames, phonemes), -np.inf)
    best[0, 0] = log_probability[0, 0]
    for t in range(1, frames):
        for p in range(max(0, phonemes - frames + t), min(phonemes, t + 1)):
            stay = best[t - 1, p]
            come = best[t - 1, p - 1] if p else -np.inf
            best[t, p] = max(stay, come) + log_probability[t, p]
    ends = np.empty(phonemes, np.int64)
    p = phonemes - 1
    ends[p] = frames
    for t in range(frames - 1, 0, -1):
        if p and (best[t - 1, p - 1] > best[t - 1, p] or t == p):
            p -= 1
            ends[p] = t
    return ends
