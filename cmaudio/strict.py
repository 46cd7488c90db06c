"""The base class and the number types of everything that is read from files, configurations and messages."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
NotNegative = Annotated[float, Field(ge=0)]


class Strict(BaseModel):
    """Immutable; refuses unknown fields, NaN and infinity."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


def check_ascending(keys: Sequence[int]) -> None:
    """For validators. Raises ValueError unless each key is above the one before."""
    if any(low >= high for low, high in pairwise(keys)):
        raise ValueError(f"keys must be ascending and distinct, not {keys}")
