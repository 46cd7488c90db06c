"""A timbre learned from an example, in a model file: its offset to the prior.

The prior predicts median and spread of every mel band from the controls and a point of the timbre space. A learned
timbre has such a point, and a table of the difference between the example and the prior's prediction there, over the
age of the sound. So level and spectrum are those of the example, and controls move them as for neighbouring timbres.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from pydantic import Field, model_validator

from cmaudio.strict import Strict

MOST_AGES, MOST_KEYS = 256, 64

Decibels = Annotated[float, Field(ge=-200, le=200)]
SpreadDecibels = Annotated[float, Field(ge=-40, le=40)]
Age = Annotated[float, Field(gt=0, le=3600)]
Key = Annotated[float, Field(ge=0, le=127)]


class LearnedSpectrum(Strict):
    """One example, or the median of several similar ones.

    `key`: its pitch as a MIDI note number, None if unpitched; `ages_s`: seconds since the onset, ascending;
    `offsets_db`: what is added to the median of every band at each age; `spread_db`: what is added to the spread of
    every band, 0 at most ages of a single example, whose spread is unknown.
    """

    key: Key | None = None
    ages_s: Annotated[list[Age], Field(min_length=1, max_length=MOST_AGES)]
    offsets_db: list[list[Decibels]]
    spread_db: list[SpreadDecibels]

    @model_validator(mode="after")
    def _consistent(self) -> LearnedSpectrum:
        if any(a >= b for a, b in pairwise(self.ages_s)):
            raise ValueError("ages_s must be ascending")
        if len(self.offsets_db) != len(self.ages_s):
            raise ValueError(f"{len(self.offsets_db)} rows of offsets_db for {len(self.ages_s)} ages")
        if any(len(row) != len(self.spread_db) for row in self.offsets_db):
            raise ValueError("the rows of offsets_db and spread_db must have the same length")
        return self

    @property
    def bands(self) -> int:
        return len(self.spread_db)


class Learned(Strict):
    """Spectra in ascending order of pitch; an unpitched timbre has one."""

    spectra: Annotated[list[LearnedSpectrum], Field(min_length=1, max_length=MOST_KEYS)]

    @model_validator(mode="after")
    def _ordered(self) -> Learned:
        keys = [spectrum.key for spectrum in self.spectra]
        if len(keys) > 1 and any(a is None or b is None or a >= b for a, b in pairwise(keys)):
            raise ValueError("several spectra need ascending keys")
        return self
