"""How the recordings of a timbre differ in mean power from what the networks make of it, in a model file.

The prior says the median of a band, and the mean power of noise lies above it; the vocoder loses some as well. Ears and
mixes add power, so what is missing on average is measured on a corpus and added to the median. It may also follow other
laws of velocity than the recordings that the networks were trained on.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

PARTS = 18
AGES_S = (0.03, 0.25, 1.0)
"""Seconds since the onset of an attack, the body and what lasts: in between colours are interpolated."""
# The lowest bands are as wide as an octave, others a fraction of one: shares of the bands where parts begin and end.
_EDGES = (0.0, 1 / 64, 1 / 32, *(part / 16 for part in range(1, 17)))

Decibels = Annotated[float, Field(ge=-100, le=100, allow_inf_nan=False)]
Colour = Annotated[list[Decibels], Field(min_length=PARTS, max_length=PARTS)]


class Correction(BaseModel):
    """What is added to the prior's median of a timbre, in 18 parts of the bands.

    Attributes:
        colour_db: at each of `AGES_S`, of middle C at velocity 127.
        velocity_db: more at ten times the velocity: 20 in all parts makes a linear law a square one.
        key_db: more two octaves above middle C.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    colour_db: Annotated[list[Colour], Field(min_length=len(AGES_S), max_length=len(AGES_S))]
    velocity_db: Colour
    key_db: Colour


def parts_of(bands: int) -> list[slice]:
    """The bands of each part; some are empty where bands are few."""
    edges = [round(edge * bands) for edge in _EDGES]
    return [slice(low, high) for low, high in pairwise(edges)]


def from_parts(bands: int) -> NDArray[np.float64]:
    """(P, M): values in the middles of the parts to values in bands, interpolated."""
    edges = np.array(_EDGES) * bands
    middles = (edges[1:] + edges[:-1]) / 2 - 0.5
    return np.stack([np.interp(np.arange(bands), middles, one) for one in np.eye(PARTS)])
