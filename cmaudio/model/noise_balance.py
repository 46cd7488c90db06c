"""How much noise a timbre has between its partials, in a model file.

The vocoder hears only a mel spectrum, in which breath and partials are one wherever a band contains several partials.
So a timbre can say by how much more or less noise it has than the vocoder gives it.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

from pydantic import Field, model_validator

from cmaudio.strict import Strict

Decibels: TypeAlias = Annotated[float, Field(ge=-60, le=60, allow_inf_nan=False)]


class NoiseBalance(Strict):
    """Offsets of the noise, interpolated linearly between keys and across the mel bands.

    Attributes:
        keys: MIDI note numbers, rising.
        offsets_db: for each key, at places evenly spread from the lowest band to the highest.
    """

    keys: Annotated[list[Annotated[float, Field(ge=0, le=127)]], Field(min_length=1, max_length=128)]
    offsets_db: list[Annotated[list[Decibels], Field(min_length=2, max_length=128)]]

    @model_validator(mode="after")
    def _consistent(self) -> NoiseBalance:
        if len(self.offsets_db) != len(self.keys) or len({len(row) for row in self.offsets_db}) != 1:
            raise ValueError(f"offsets_db must have {len(self.keys)} rows of the same length, one for each key")
        if any(low >= high for low, high in zip(self.keys, self.keys[1:], strict=False)):
            raise ValueError("keys must rise")
        return self
