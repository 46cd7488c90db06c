"""Difference in mean power between a timbre's recordings and what the networks generate, in a model file.

The prior predicts the median of a band, which for noise lies below its mean power; the vocoder loses some power as
well. Loudness and mixes depend on power, so the mean difference is measured on a corpus and added to the median. It can
also give a model another velocity law than that of the recordings on which it was trained.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from cmaudio.model.strict import Strict

PARTS = 18
AGES_S = (0.03, 0.25, 1.0)
"""Seconds after the onset that stand for attack, body and sustain; colours are interpolated between them."""
# Edges of the parts, as fractions of the bands; narrower where bands are as wide as an octave.
_EDGES = (0.0, 1 / 64, 1 / 32, *(part / 16 for part in range(1, 17)))

Decibels = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Colour = Annotated[list[Decibels], Field(min_length=PARTS, max_length=PARTS)]


class Correction(Strict):
    """What is added to the prior's median of a timbre, in 18 parts of the spectrum.

    Attributes:
        colour_db: at each of `AGES_S`, for middle C at velocity 127.
        velocity_db: slope per decade of velocity; 20 in all parts turns a linear velocity law into a square one.
        key_db: slope per two octaves above middle C.
    """

    colour_db: Annotated[list[Colour], Field(min_length=len(AGES_S), max_length=len(AGES_S))]
    velocity_db: Colour
    key_db: Colour


def parts_of(bands: int) -> list[slice]:
    """The bands of each part; some parts are empty if there are few bands."""
    edges = [round(edge * bands) for edge in _EDGES]
    return [slice(low, high) for low, high in pairwise(edges)]


def from_parts(bands: int) -> NDArray[np.float64]:
    """(P, M) matrix that interpolates values at the centres of the parts to bands."""
    edges = np.array(_EDGES) * bands
    middles = (edges[1:] + edges[:-1]) / 2 - 0.5
    return np.stack([np.interp(np.arange(bands), middles, one) for one in np.eye(PARTS)])
