"""The partial frequencies of a timbre, in a model file; harmonic without an entry.

Keys are MIDI note numbers. Between two measured keys the inharmonicity of strings is interpolated, since it changes
gradually; for bells and bars, whose partials are those of one recording, the nearest key is used.
"""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from cmaudio.strict import Strict, check_ascending

MOST_RATIOS = 40
MOST_KEYS = 128

Key = Annotated[int, Field(ge=0, le=127)]
Ratio = Annotated[float, Field(gt=0, le=256)]


class StringInharmonicity(Strict):
    """Coefficient B of a key's string: its partials are f_k = k f0 sqrt((1 + B k^2) / (1 + B))."""

    key: Key
    b: Annotated[float, Field(gt=0, le=0.1)]


class StretchedPartials(Strict):
    """Partials of stiff strings, stretched by B of the key (Fletcher, Blackham and Stratton 1962, JASA 34, 749)."""

    kind: Literal["stretched"] = "stretched"
    strings: Annotated[list[StringInharmonicity], Field(min_length=1, max_length=MOST_KEYS)]

    @model_validator(mode="after")
    def _ordered(self) -> StretchedPartials:
        check_ascending([string.key for string in self.strings])
        return self

    def b(self, key: float) -> float:
        """B at a key, its logarithm interpolated between the measured ones."""
        keys, logs = [s.key for s in self.strings], [float(np.log(s.b)) for s in self.strings]
        return float(np.exp(np.interp(key, keys, logs)))


class LowerBase(Strict):
    """Harmonics of f0 / divisor: organs with 16' (2) or 32' (4) stops under the note's own 8'."""

    kind: Literal["lower_base"] = "lower_base"
    divisor: Literal[2, 4]


class PartialSet(Strict):
    """The partials of one recorded key, as ratios of its f0."""

    key: Key
    ratios: Annotated[list[Ratio], Field(min_length=1, max_length=MOST_RATIOS)]


class PartialSets(Strict):
    """Partials that follow no series, measured key by key: bells, bars, membranes."""

    kind: Literal["sets"] = "sets"
    sets: Annotated[list[PartialSet], Field(min_length=1, max_length=MOST_KEYS)]

    @model_validator(mode="after")
    def _ordered(self) -> PartialSets:
        check_ascending([partials.key for partials in self.sets])
        return self

    def nearest(self, key: float) -> PartialSet:
        """The set measured nearest to a key; of two equally near, the lower."""
        return min(self.sets, key=lambda partials: abs(partials.key - key))


class NoPartials(Strict):
    """No partials: wind, water, applause. Only noise is filtered, and the key changes only its colour."""

    kind: Literal["none"] = "none"


Partials = Annotated[StretchedPartials | LowerBase | PartialSets | NoPartials, Field(discriminator="kind")]


def in_picture(partials: Partials | None) -> Partials | None:
    """The partials that the networks see; None for harmonics, which they also see where there are no partials."""
    return None if isinstance(partials, NoPartials) else partials
