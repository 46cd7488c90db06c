"""Fréchet distance of voice embeddings: do generated utterances sound like the recorded speakers?

Wan, Wang, Papir, Lopez Moreno: "Generalized End-to-End Loss for Speaker Verification" (2018, arXiv 1710.10467), as
trained and published in Resemblyzer.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence

import numpy as np
import soxr

from cmaudio.evaluation.held_out import frechet_of_features
from cmaudio.signal.dsp import Float

_RATE = 16_000
_EMBEDDINGS_A_SECOND = 4


def voice_frechet(ours: Sequence[Float], recorded: Sequence[Float], sample_rate: int) -> float | str:
    """Distance of two sets of utterances (N,), embedded in windows of 1.6 s; the reason if it cannot be measured."""
    try:
        resemblyzer = importlib.import_module("resemblyzer")
    except ModuleNotFoundError:
        return "not measured: pip install resemblyzer"
    encoder = resemblyzer.VoiceEncoder("cpu", verbose=False)

    def embed(sounds: Sequence[Float]) -> np.ndarray:
        at_rate = [soxr.resample(sound, sample_rate, _RATE) for sound in sounds]
        windows = [encoder.embed_utterance(x, return_partials=True, rate=_EMBEDDINGS_A_SECOND)[1] for x in at_rate]
        return np.concatenate(windows).astype(np.float64)

    return round(frechet_of_features(embed(ours), embed(recorded)), 4)
