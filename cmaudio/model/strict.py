"""The base class of everything in a manifest, and a check of keys."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """Immutable; refuses unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def check_ascending(keys: Sequence[int]) -> None:
    """Raises ValueError unless each key is above the one before."""
    if any(low >= high for low, high in pairwise(keys)):
        raise ValueError(f"keys must be ascending and distinct, not {keys}")
