"""The broad parts of the spectrum in which a model's notes are compared with recordings.

Shapes: F bins, P parts, M mel bands.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np

from cmaudio.signal.dsp import Mel
from cmaudio.training.export.key_grid import Array

PARTS = 18
# Edges of the parts, as fractions of the bands; narrower where bands are as wide as an octave.
_EDGES = (0.0, 1 / 64, 1 / 32, *(part / 16 for part in range(1, 17)))


def parts_of(bands: int) -> list[slice]:
    """The bands of each part; some parts are empty if there are few bands."""
    edges = [round(edge * bands) for edge in _EDGES]
    return [slice(low, high) for low, high in pairwise(edges)]


def from_parts(bands: int) -> Array:
    """(P, M) matrix that interpolates values at the centres of the parts to bands."""
    edges = np.array(_EDGES) * bands
    middles = (edges[1:] + edges[:-1]) / 2 - 0.5
    return np.stack([np.interp(np.arange(bands), middles, one) for one in np.eye(PARTS)])


@lru_cache(4)
def bins_of_parts(mel: Mel) -> Array:
    """(F, P) 1 where a bin of an FFT belongs to a part, which is that of the nearest band."""
    hz = np.linspace(0, mel.sample_rate / 2, mel.n_fft // 2 + 1)
    band = np.searchsorted((mel.centres_hz[1:] + mel.centres_hz[:-1]) / 2, hz)
    inside = (hz >= mel.f_min_hz) & (hz <= mel.f_max_hz)
    columns = [inside & (band >= part.start) & (band < part.stop) for part in parts_of(mel.bands)]
    return np.stack(columns, -1).astype(np.float64)
